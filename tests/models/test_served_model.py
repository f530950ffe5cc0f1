from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inference.core.model_card import Choice, Finding
from inference.core.pool_state import PoolEvent as Event
from inference.models import PoolEvent, ServedModel, pool_event

pytestmark = pytest.mark.django_db


def names() -> set[str]:
    return set(ServedModel.objects.values_list("name", flat=True))


def problem(**fields: Any) -> dict[str, list[str]]:
    """What is wrong with a model of these fields, by field."""
    with pytest.raises(ValidationError) as caught:
        ServedModel(**({"name": "tiny"} | fields)).full_clean()
    found: dict[str, list[str]] = caught.value.message_dict
    return found


def event(**changes: Any) -> Event:
    facts: dict[str, Any] = {
        "kind": "evicted",
        "model": "tiny",
        "text": "evicted tiny: idle 412 s",
        "at": 1.6e9,
    }
    return Event(**(facts | changes))


@pytest.mark.django_db(transaction=True)  # so that the beginning of a transaction counts
def test_sync_only_reads_while_nothing_has_changed(django_assert_num_queries: Any) -> None:
    ServedModel.objects.sync(["a", "b"])
    with django_assert_num_queries(1):
        ServedModel.objects.sync(["a", "b"])


def test_sync_has_one_row_for_each_model_on_disk() -> None:
    ServedModel.objects.create(name="gone")
    ServedModel.objects.sync(["a", "b"])
    assert names() == {"a", "b"}


@pytest.mark.parametrize(
    "chosen",
    [
        {"is_pinned": True},
        {"idle_ttl_s": 0},
        {"aliases": ["x"]},
        {"adapter": "llama3"},
        {"kv_bits": 0},
        {"draft_model": "a"},
    ],
)
def test_sync_keeps_what_was_chosen_for_a_model_that_is_missing(chosen: dict[str, Any]) -> None:
    ServedModel.objects.create(name="gone", **chosen)
    ServedModel.objects.sync([])
    assert names() == {"gone"}


def test_the_choices_are_those_of_models_with_any() -> None:
    ServedModel.objects.create(name="plain")
    ServedModel.objects.create(name="pinned", is_pinned=True, idle_ttl_s=-1, aliases=["x", "y"])
    assert ServedModel.objects.choices() == {
        "pinned": Choice(is_pinned=True, idle_ttl_s=-1, aliases=("x", "y"))
    }


def test_aliases_of_another_making_do_no_harm() -> None:
    assert ServedModel(aliases={"a": 1}).choice == Choice()
    assert ServedModel(aliases=["a", 5, None]).choice == Choice(aliases=("a",))


@pytest.mark.parametrize("aliases", [[], ["gpt-4o", "org/name:tag"], ["Ünïcode name"], ["x" * 200]])
def test_sensible_aliases_are_taken(aliases: list[str]) -> None:
    ServedModel(name="tiny", aliases=aliases).full_clean()


@pytest.mark.parametrize(
    "aliases",
    [
        *([""], ["  "], [" x"], ["x" * 201], ["a\nb"], ["a\0"], ["a\u200bb"], ["\ud800"], ["a\u2028"]),
        *(["x", "x"], [5], [None], "x", {"x": 1}, [f"n{i}" for i in range(33)]),
    ],
)
def test_other_aliases_are_refused(aliases: Any) -> None:
    assert list(problem(aliases=aliases)) == ["aliases"]


@pytest.mark.parametrize("alias", ["other", "gpt-4o"])
def test_an_alias_means_one_model_only(alias: str) -> None:
    ServedModel.objects.create(name="other", aliases=["gpt-4o"])
    assert "another model" in problem(aliases=[alias])["aliases"][0]


def test_a_model_keeps_its_own_aliases() -> None:
    ServedModel.objects.create(name="tiny", aliases=["x"]).full_clean()


@pytest.mark.parametrize("seconds", [-1, 0, 0.5, 86400, None])
def test_an_idle_time_is_seconds_or_for_ever(seconds: float | None) -> None:
    ServedModel(name="tiny", idle_ttl_s=seconds).full_clean()


@pytest.mark.parametrize("seconds", [-2, -0.5, float("inf"), float("nan"), 1e12])
def test_other_idle_times_are_refused(seconds: float) -> None:
    assert list(problem(idle_ttl_s=seconds)) == ["idle_ttl_s"]


def test_an_event_is_kept_with_its_numbers() -> None:
    PoolEvent.objects.record(event(needed_bytes=5, free_bytes=3, limit_bytes=2**40, seconds=412.0))
    kept = PoolEvent.objects.get()
    assert (kept.kind, kept.needed_bytes, kept.limit_bytes) == ("evicted", 5, 2**40)
    assert (kept.at.timestamp(), kept.seconds) == (1.6e9, 412.0)


def test_only_the_newest_events_are_kept() -> None:
    old = [
        PoolEvent(kind="loaded", text=str(i), at="2020-01-01T00:00Z") for i in range(pool_event.KEPT_EVENTS)
    ]
    PoolEvent.objects.bulk_create(old)
    PoolEvent.objects.record(event(text="newest"))
    assert PoolEvent.objects.count() == pool_event.KEPT_EVENTS
    newest = PoolEvent.objects.first()
    assert newest and newest.text == "newest"
    assert not PoolEvent.objects.filter(text="0").exists()


def test_an_adapter_is_one_that_exists() -> None:
    assert "The adapters are codellama" in problem(adapter="none")["adapter"][0]
    ServedModel(name="tiny", adapter="llama3").full_clean()
    assert ServedModel(adapter="llama3").choice == Choice(adapter="llama3")


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("kind", ["loaded", "restarted"])
def test_a_load_leaves_what_its_self_test_found(kind: str, is_known: bool) -> None:
    if is_known:  # the admin's list makes the rows, and it may never have been opened
        ServedModel.objects.create(name="tiny")
    found = Finding(light="amber", about="roles", text="It has no system role.")
    PoolEvent.objects.record(event(kind=kind, findings=(found,)))
    assert ServedModel.objects.get().findings == [
        {"light": "amber", "about": "roles", "text": "It has no system role."}
    ]


def test_a_model_has_the_findings_of_its_last_self_test_or_none() -> None:
    stored = [{"light": "amber", "about": "roles", "text": "x"}]
    found = (Finding(light="amber", about="roles", text="x"),)
    assert ServedModel(findings=stored).stored_findings == found
    assert (ServedModel(findings=[]).stored_findings, ServedModel().stored_findings) == ((), None)


def test_what_an_eviction_says_of_a_model_changes_no_finding() -> None:
    ServedModel.objects.create(name="tiny", findings=[])
    PoolEvent.objects.record(event(kind="evicted"))
    assert ServedModel.objects.get().findings == []


def test_an_alias_may_stand_for_all_names_that_begin_with_it() -> None:
    ServedModel(name="a", aliases=["claude-*", "gpt*"]).full_clean()
    for alias in ("*", "a*", "ab*", "a*b*", "cla*de", "claude-**"):
        assert "aliases" in problem(name="a", aliases=[alias]), alias


def test_aliases_are_added_once_and_refused_where_another_model_has_one() -> None:
    model = ServedModel.objects.create(name="tiny", aliases=["a"])
    assert model.add_aliases(["a", "b"]) == ("b",) and model.add_aliases(["b"]) == ()
    other = ServedModel.objects.create(name="other")
    with pytest.raises(ValidationError, match="'b' already names another model"):
        other.add_aliases(["c", "b"])
    assert ServedModel.objects.get(name="other").aliases == []
