"""Records of requests, and captures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inference.models.request_record import Capture, RequestRecord, check_end

pytestmark = pytest.mark.django_db


def record(model: str, age: timedelta = timedelta(), **changes: Any) -> RequestRecord:
    figures = ("queued", "loading", "prefill", "decode")
    facts: dict[str, Any] = {f"{name}_ms": 0 for name in figures}
    facts |= {f"{name}_tokens": 0 for name in ("prompt", "completion", "cached")}
    at = datetime.now(UTC) - age
    return RequestRecord.objects.create(
        at=at, principal_kind="local", model=model, kind="chat", **facts | changes
    )


def models() -> list[str]:
    return list(RequestRecord.objects.order_by("pk").values_list("model", flat=True))


def test_old_records_and_those_beyond_the_newest_are_forgotten() -> None:
    record("old", timedelta(days=3))
    for name in "abc":
        record(name)
    RequestRecord.objects.retain(days=2, rows=2)
    assert models() == ["b", "c"]


def test_deleted_text_leaves_the_record() -> None:
    record("a", prompt="secret")
    record("b")
    assert RequestRecord.objects.delete_captured_text(RequestRecord.objects.all()) == 1
    assert models() == ["a", "b"]
    assert not RequestRecord.objects.exclude(prompt="").exists()


def test_a_capture_has_the_records_of_its_time() -> None:
    record("before", timedelta(hours=1))
    capture = Capture.objects.create(reason="a bug")
    record("during")
    assert Capture.objects.end() == capture.until
    assert [one.model for one in Capture.objects.records([capture])] == ["during"]
    assert not Capture.objects.records([]).exists()
    capture.stop()
    assert not capture.is_on and Capture.objects.end() is None


@pytest.mark.parametrize("hours", [-1, 0, 24 * 7 + 1])
def test_a_capture_ends_ahead_and_within_a_week(hours: float) -> None:
    with pytest.raises(ValidationError, match="at most 7 days"):
        check_end(datetime.now(UTC) + timedelta(hours=hours))
    check_end(datetime.now(UTC) + timedelta(days=6))
