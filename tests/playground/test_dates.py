"""Dates of exports: whatever the unit, in UTC, and never in the future."""

from datetime import UTC, datetime
from typing import Any

from playground.dates import as_text, parse_date
from tests.each import each

NOON = datetime(2024, 6, 10, 12, tzinfo=UTC)
SECONDS = NOON.timestamp()


@each(
    "value",
    [
        SECONDS,
        int(SECONDS),
        str(SECONDS),
        SECONDS * 1e3,
        int(SECONDS * 1e6),
        int(SECONDS) * 10**9,
        "2024-06-10T12:00:00Z",
        "2024-06-10T14:00:00+02:00",
        "2024-06-10 12:00:00",
    ],
)
def test_one_moment_in_many_forms(value: Any) -> None:
    assert parse_date(value) == NOON and as_text(value) == NOON.isoformat()


@each("value", [None, "", "Mon Jun 10 2024", True, 0, -5, 1e300, float("nan"), [], {}, "99999"])
def test_what_is_no_date_is_none(value: Any) -> None:
    assert parse_date(value) is None and as_text(value) == ""


def test_nothing_is_from_the_future() -> None:
    found = parse_date("2999-01-01T00:00:00Z")
    assert found and found <= datetime.now(UTC)
