"""Dates as chat exports write them: ISO 8601, or seconds, milliseconds or nanoseconds since 1970."""

from datetime import UTC, datetime
from typing import Any

_SECONDS_BEFORE = 1e11  # of the year 5138: a greater number counts smaller units

_NANOSECONDS_BEFORE = 1e20


def parse_date(value: Any) -> datetime | None:
    """The moment that `value` names, in UTC and never after now; None where it names none."""
    try:
        moment = _from_text(value) if isinstance(value, str) else _from_number(value)
    except (ValueError, OverflowError, OSError):
        return None
    return min(moment, datetime.now(UTC)) if moment and moment.year > 1970 else None


def as_text(value: Any) -> str:
    """`value` as ISO 8601; empty where it names no moment."""
    moment = parse_date(value)
    return moment.isoformat() if moment else ""


def _from_text(text: str) -> datetime:
    text = text.strip()
    if text.replace(".", "", 1).isdecimal() and len(text) > 8:
        return _since_1970(float(text))
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _from_number(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _since_1970(float(value))


def _since_1970(number: float) -> datetime:
    if not number < _NANOSECONDS_BEFORE:
        raise ValueError("no moment")
    while number > _SECONDS_BEFORE:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)
