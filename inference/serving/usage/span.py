"""Spans of time in a zone, divided into hours or days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

Range = Literal["24h", "7d", "30d", "90d"]
RANGES: tuple[Range, ...] = get_args(Range)
_HOUR = timedelta(hours=1)
_DAYS: dict[Range, int] = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
_LONGEST_ZONE = 64
_SYSTEM_ZONE = Path("/etc/localtime")


class Period(Struct, frozen=True, kw_only=True):
    """One hour or day; `start` is a local time with its offset, `key` what its hours have in common."""

    start: datetime
    key: str


class Span(Struct, frozen=True, kw_only=True):
    """A range as periods of a zone, oldest first; the last one goes on."""

    range: Range
    zone: tzinfo
    periods: tuple[Period, ...]

    @property
    def start(self) -> datetime:
        """The beginning, which is the beginning of an hour (UTC)."""
        return _hour(self.periods[0].start)

    @property
    def is_by_hour(self) -> bool:
        return self.range in ("24h", "7d")

    def key(self, hour: datetime) -> str:
        """The key of the period that an hour (UTC) belongs to."""
        return _key(hour.astimezone(self.zone), self.is_by_hour)


def span_of(chosen: Range, zone: tzinfo, now: datetime | None = None) -> Span:
    """The last 24 hours, or the last days up to this one, as they are in `zone`."""
    now = now or datetime.now(UTC)
    is_by_hour = chosen in ("24h", "7d")
    starts = _hours(chosen, zone, now) if is_by_hour else _midnights(_DAYS[chosen], zone, now)
    periods = tuple(Period(start=start, key=_key(start, is_by_hour)) for start in starts)
    return Span(range=chosen, zone=zone, periods=periods)


def zone_named(name: str) -> tzinfo | None:
    """The time zone of this name, such as Europe/Berlin; None where there is none."""
    if not name or len(name) > _LONGEST_ZONE:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError, which is below
        return None
    except KeyError:
        return None


def system_zone(file: Path = _SYSTEM_ZONE) -> tzinfo:
    """The zone of this machine, which Django hides from `time`; UTC where it is not known."""
    try:
        with file.open("rb") as content:
            return ZoneInfo.from_file(content)
    except (OSError, ValueError):
        return UTC


def _hours(chosen: Range, zone: tzinfo, now: datetime) -> Iterator[datetime]:
    """The hours of UTC, as local times: where clocks are set back, an hour comes twice with two offsets."""
    last = _hour(now)
    first = last - 23 * _HOUR if chosen == "24h" else _hour(next(iter(_midnights(7, zone, now))))
    while first <= last:
        yield first.astimezone(zone)
        first += _HOUR


def _midnights(days: int, zone: tzinfo, now: datetime) -> Iterator[datetime]:
    today = now.astimezone(zone).date()
    for back in reversed(range(days)):
        yield _midnight(today - timedelta(days=back), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day, by way of UTC: in some zones clocks are set forward at midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).astimezone(zone)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _key(local: datetime, is_by_hour: bool) -> str:
    return _hour(local).isoformat() if is_by_hour else local.date().isoformat()
