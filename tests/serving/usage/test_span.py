"""Spans of time, over changes of the clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from inference.serving.usage.span import RANGES, Range, span_of, system_zone, zone_named
from tests.each import each

BERLIN = ZoneInfo("Europe/Berlin")


@each(("chosen", "periods"), [("24h", 24), ("7d", 6 * 24 + 13), ("30d", 30), ("90d", 90)])
def test_a_range_has_its_hours_or_days(chosen: Range, periods: int) -> None:
    span = span_of(chosen, UTC, datetime(2026, 7, 1, 12, 30, tzinfo=UTC))
    assert len(span.periods) == len({period.key for period in span.periods}) == periods
    assert set(RANGES) == {"24h", "7d", "30d", "90d"}


def test_an_hour_that_comes_twice_is_two_periods() -> None:
    span = span_of("24h", BERLIN, datetime(2026, 10, 25, 6, 30, tzinfo=UTC))
    twice = [period for period in span.periods if period.start.hour == 2]
    assert [str(period.start.utcoffset()) for period in twice] == ["2:00:00", "1:00:00"]
    assert len(span.periods) == 24


def test_an_hour_that_is_left_out_is_no_period() -> None:
    span = span_of("24h", BERLIN, datetime(2026, 3, 29, 6, 30, tzinfo=UTC))
    shown = [period.start.hour for period in span.periods if period.start.day == 29]
    assert shown == [0, 1, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(("day", "hours"), [(datetime(2026, 10, 25), 25), (datetime(2026, 3, 29), 23)])
def test_a_day_has_all_of_its_hours_where_the_clock_changes(day: datetime, hours: int) -> None:
    span = span_of("30d", BERLIN, day.replace(tzinfo=BERLIN) + timedelta(days=3))
    every = (span.start + timedelta(hours=number) for number in range(30 * 25))
    assert sum(span.key(hour) == f"{day:%Y-%m-%d}" for hour in every) == hours


def test_hours_belong_to_local_days() -> None:
    span = span_of("30d", BERLIN, datetime(2026, 7, 31, 12, tzinfo=UTC))
    assert span.start == datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert span.key(span.start) == span.periods[0].key == "2026-07-02"
    assert span.key(span.start - timedelta(hours=1)) == "2026-07-01"


def test_zones_that_are_no_whole_hours_from_utc_have_the_hours_of_utc() -> None:
    span = span_of("24h", ZoneInfo("Asia/Kolkata"), datetime(2026, 7, 1, 12, 40, tzinfo=UTC))
    assert f"{span.periods[-1].start:%H:%M}" == "17:30"
    assert span.key(datetime(2026, 7, 1, 12, tzinfo=UTC)) == span.periods[-1].key


def test_a_day_that_does_not_begin_at_midnight_begins_later() -> None:
    santiago = ZoneInfo("America/Santiago")
    span = span_of("30d", santiago, datetime(2026, 9, 7, 12, tzinfo=UTC))
    starts = {f"{period.start:%m-%d %H:%M}" for period in span.periods}
    assert "09-06 01:00" in starts and len(span.periods) == 30


@each("name", ["", "Nowhere/Town", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 99, "Europe"])
def test_there_is_no_such_zone(name: str) -> None:
    assert zone_named(name) is None


def test_zones_are_found_by_name_and_by_the_machines_file(tmp_path: Path) -> None:
    assert zone_named("Europe/Berlin") == BERLIN
    assert system_zone(tmp_path / "missing") == UTC
    (tmp_path / "broken").write_text("no zone")
    assert system_zone(tmp_path / "broken") == UTC
