"""The pool's decisions in the database."""

from typing import Any

import pytest

from inference.core import pool_state
from inference.core.model_card import Finding
from inference.models import PoolEvent, ServedModel, pool_event

pytestmark = pytest.mark.django_db


def event(text: str, kind: Any = "loaded", **figures: Any) -> pool_state.PoolEvent:
    return pool_state.PoolEvent(kind=kind, model="tiny", text=text, at=1.7e9, **figures)


def test_an_event_comes_back_as_it_was_but_for_its_findings() -> None:
    stored = event("loaded tiny", needed_bytes=5, free_bytes=-1, limit_bytes=10**12, seconds=1.5)
    PoolEvent.objects.record(stored)
    assert PoolEvent.objects.newest(1) == (stored,)


def test_only_the_newest_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(pool_event, "KEPT_EVENTS", 2)
    for text in "abc":
        PoolEvent.objects.record(event(text))
    assert [one.text for one in PoolEvent.objects.newest(9)] == ["c", "b"]


def test_the_findings_of_a_load_are_stored_with_the_model() -> None:
    finding = Finding(light="amber", about="tools", text="none")
    PoolEvent.objects.record(event("loaded tiny", findings=(finding,)))
    PoolEvent.objects.record(event("evicted tiny", kind="evicted"))
    assert ServedModel.objects.get(name="tiny").findings == [
        {"light": "amber", "about": "tools", "text": "none"}
    ]
    PoolEvent.objects.record(event("restarted tiny", kind="restarted"))
    assert ServedModel.objects.get(name="tiny").findings == []
