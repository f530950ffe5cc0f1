"""Folders: made, renamed and removed, while their conversations stay."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from inference.core.errors import InvalidValue, NotFound, ServerError
from playground import folder_store
from playground.folder_store import FolderStore
from playground.store import ConversationStore
from tests.playground.test_store import ask

pytestmark = pytest.mark.django_db


def folders(user: User | None = None) -> dict[str, int]:
    return {folder["name"]: folder["count"] for folder in ConversationStore(user).sidebar()["folders"]}


def test_an_empty_folder_stays() -> None:
    store = ConversationStore(None)
    FolderStore(None).create("Home")
    found, _ = ask(store)
    store.update(found.pk, {"folder": "Work"})
    store.update(found.pk, {"folder": ""})
    assert folders() == {"Home": 0, "Work": 0}


def test_a_folder_is_renamed_with_what_it_contains_also_deleted_ones() -> None:
    store = ConversationStore(None)
    found, _ = ask(store)
    gone, _ = ask(store)
    for one in (found, gone):
        store.update(one.pk, {"folder": "Work"})
    store.delete(gone.pk)
    FolderStore(None).rename("Work", "Job")
    FolderStore(None).rename("Job", "Job")
    store.restore(gone.pk)
    assert folders() == {"Job": 2}


def test_the_conversations_of_a_removed_folder_stay() -> None:
    store = ConversationStore(None)
    found, _ = ask(store)
    store.update(found.pk, {"folder": "Work"})
    FolderStore(None).delete("Work")
    assert folders() == {}
    assert [one["folder"] for one in store.page()["conversations"]] == [""]


def refusal(act: Callable[[], None]) -> type[ServerError]:
    with pytest.raises(ServerError) as caught:
        act()
    return type(caught.value)


def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(None)
    store.create("Work")
    store.create("Home")
    assert refusal(lambda: store.create("Work")) is InvalidValue
    assert refusal(lambda: store.rename("Work", "Home")) is InvalidValue
    assert refusal(lambda: store.rename("None", "Other")) is NotFound
    assert refusal(lambda: store.delete("None")) is NotFound
    monkeypatch.setattr(folder_store, "MOST_FOLDERS", 2)
    assert refusal(lambda: store.create("Third")) is InvalidValue


def test_each_visitor_has_folders_of_their_own() -> None:
    ann = User.objects.create_user("ann")
    FolderStore(ann).create("Work")
    FolderStore(None).create("Work")
    FolderStore(None).rename("Work", "Mine")
    assert (folders(ann), folders()) == ({"Work": 0}, {"Mine": 0})
    assert refusal(lambda: FolderStore(None).delete("Work")) is NotFound
