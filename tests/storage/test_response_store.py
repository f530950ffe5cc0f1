"""Stored responses, each visible to its owner only."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inference.core.errors import InvalidValue, NotFound
from inference.models import StoredItem, StoredResponse
from inference.storage.response_store import Stored, forget_old

pytestmark = pytest.mark.django_db
MINE = Stored("user:ada")


def body(name: str, previous: str | None = None, status: str = "completed") -> dict[str, Any]:
    output = [{"id": f"out_{name}", "text": f"answer {name}"}]
    return {"id": name, "previous_response_id": previous, "status": status, "output": output}


def given(name: str) -> list[dict[str, Any]]:
    return [{"id": f"in_{name}", "text": f"question {name}"}]


def test_a_conversation_has_all_items_in_order() -> None:
    MINE.keep(body("a"), given("a"))
    MINE.keep(body("b", "a"), given("b"))
    assert [item["id"] for item in MINE.conversation("b")] == ["in_a", "out_a", "in_b", "out_b"]


def test_others_find_nothing() -> None:
    MINE.keep(body("a"), given("a"))
    other = Stored("user:bob")
    with pytest.raises(NotFound, match="no stored response 'a'"):
        other.find("a")
    assert other.items(["in_a"]) == {}
    assert MINE.items(["in_a", "out_a", "none"]).keys() == {"in_a", "out_a"}


def test_a_response_that_goes_on_is_stored_once() -> None:
    MINE.keep(body("a", status="in_progress"), given("a"))
    MINE.keep(body("a"), given("a"), {"sizes": [1]})
    kept = MINE.find("a")
    assert (kept.body["status"], kept.input, kept.trace) == ("completed", given("a"), {"sizes": [1]})
    assert StoredItem.objects.count() == 2


def test_one_that_is_not_complete_is_no_previous_response() -> None:
    MINE.keep(body("a", status="in_progress"), given("a"))
    with pytest.raises(InvalidValue, match="not complete yet"):
        MINE.conversation("a")


def test_one_whose_server_ended_has_failed_and_stays_so() -> None:
    MINE.keep(body("a", status="in_progress"), given("a"))
    assert MINE.ended("a").body["status"] == "failed"
    assert MINE.find("a").body["error"]["code"] == "server_error"


def test_old_ones_are_not_found_and_then_deleted() -> None:
    MINE.keep(body("a"), given("a"))
    StoredResponse.objects.update(created_at=timezone.now() - timedelta(days=400))
    with pytest.raises(NotFound):
        MINE.find("a")
    forget_old()
    assert not StoredResponse.objects.exists()
