"""Times in UTC that a script can read, and durations in seconds."""

from datetime import UTC, datetime, timedelta, timezone

from inference.admin.times import local_time, seconds
from tests.each import each

NIGHT = datetime(2026, 1, 2, 23, 4, 5, tzinfo=timezone(timedelta(hours=-2)))


def test_a_time_says_that_it_is_utc() -> None:
    assert local_time(NIGHT) == '<time datetime="2026-01-03T01:04:05Z">2026-01-03 01:04 UTC</time>'
    assert ">2026-01-03 01:04:05 UTC<" in local_time(NIGHT.astimezone(UTC), has_seconds=True)
    assert local_time(None) == "never"


@each(
    ("milliseconds", "text"),
    [(0, "0 s"), (4, "0.004 s"), (42, "0.04 s"), (1340, "1.3 s"), (123_400, "123 s"), (3_600_000, "3,600 s")],
)
def test_durations_are_in_seconds(milliseconds: int, text: str) -> None:
    assert seconds(milliseconds) == text
