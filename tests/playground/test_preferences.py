"""An account's default settings and its saved prompts."""

import pytest
from django.contrib.auth.models import AnonymousUser, User

from inference.core.errors import InvalidValue, NotFound
from playground import preferences
from playground.models import SystemPrompt
from playground.preferences import PreferenceStore, mine

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> PreferenceStore:
    return PreferenceStore(User.objects.create_user("ann"))


@pytest.fixture
def beth() -> PreferenceStore:
    return PreferenceStore(User.objects.create_user("beth"))


def test_defaults_are_replaced_as_a_whole(ann: PreferenceStore, beth: PreferenceStore) -> None:
    assert ann.settings() == {}
    ann.set_settings({"temperature": "0.2", "seed": "7"})
    ann.set_settings({"temperature": "0.3", "system": "  "})
    assert ann.settings() == {"temperature": "0.3"}
    assert beth.settings() == {}


def test_prompts_are_saved_by_name(ann: PreferenceStore) -> None:
    ann.add_prompt("pirate", "Speak like a pirate.")
    ann.add_prompt("Brief", "Be brief.")
    assert [(one["name"], one["text"]) for one in ann.prompts()] == [
        ("Brief", "Be brief."),
        ("pirate", "Speak like a pirate."),
    ]


def test_a_name_is_taken_once(ann: PreferenceStore, beth: PreferenceStore) -> None:
    first = ann.add_prompt("one", "1")
    ann.add_prompt("two", "2")
    beth.add_prompt("one", "hers")
    with pytest.raises(InvalidValue):
        ann.add_prompt("one", "again")
    with pytest.raises(InvalidValue):
        ann.change_prompt(first["id"], {"name": "two"})
    assert ann.change_prompt(first["id"], {"name": "three"})["text"] == "1"


def test_prompts_of_others_are_out_of_reach(ann: PreferenceStore, beth: PreferenceStore) -> None:
    hers = beth.add_prompt("one", "hers")["id"]
    with pytest.raises(NotFound):
        ann.change_prompt(hers, {"text": "mine"})
    with pytest.raises(NotFound):
        ann.delete_prompt(hers)
    beth.delete_prompt(hers)
    assert not SystemPrompt.objects.exists()


def test_the_library_has_a_limit(ann: PreferenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "MOST_PROMPTS", 2)
    ann.add_prompt("one", "1")
    ann.add_prompt("two", "2")
    with pytest.raises(InvalidValue, match="At most 2"):
        ann.add_prompt("three", "3")


def test_the_page_knows_its_visitor() -> None:
    user = User.objects.create_user("ann", first_name="Ann", last_name="Lee")
    PreferenceStore(user).set_settings({"top_k": "5"})
    PreferenceStore(user).change_favourites(["a/b"], [])
    expected = {"account": str(user.pk), "name": "Ann Lee", "defaults": {"top_k": "5"}, "favourites": ["a/b"]}
    assert mine(user) == expected
    assert mine(AnonymousUser()) == {"account": "", "name": "", "defaults": None, "favourites": None}


def test_favourites_of_two_browsers_are_joined(ann: PreferenceStore, beth: PreferenceStore) -> None:
    ann.change_favourites(["a", "b"], [])
    assert ann.change_favourites(["b", "c", "c"], ["a", "gone"]) == ["b", "c"]
    assert ann.favourites() == ["b", "c"] and beth.favourites() == []


def test_too_many_favourites_change_nothing(ann: PreferenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "MOST_FAVOURITES", 2)
    ann.change_favourites(["a", "b"], [])
    with pytest.raises(InvalidValue, match="At most 2"):
        ann.change_favourites(["c", "d"], ["a"])
    assert ann.favourites() == ["a", "b"]


def test_without_an_account_the_browser_keeps_them() -> None:
    with pytest.raises(NotFound, match="in your browser"):
        PreferenceStore(None)
