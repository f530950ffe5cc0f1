"""Retry-After, and durations as texts."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from inference.repository.downloads.retry_policy import duration_text, retry_after_s
from tests.each import each


@each(("header", "seconds"), [("7", 7), (" 120 ", 120), ("", 0), ("soon", 0), ("-5", 0), ("²", 0)])
def test_a_number_of_seconds_is_read(header: str, seconds: float) -> None:
    assert retry_after_s(header) == seconds


def test_a_date_is_read_and_one_that_is_over_is_now() -> None:
    now = datetime.now(UTC)
    assert 55 < retry_after_s(format_datetime(now + timedelta(minutes=1), usegmt=True)) <= 60
    assert retry_after_s(format_datetime(now - timedelta(minutes=1), usegmt=True)) == 0


@each(("seconds", "text"), [(5, "5 seconds"), (119, "119 seconds"), (600, "10 minutes"), (7200, "2 hours")])
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
