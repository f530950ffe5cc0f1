"""The variables of a system prompt: `{{date}}`, `{{time}}`, `{{name}}` and `{{model}}`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]{1,40})\s*\}\}")


def variables(timezone: str, *, name: str, model: str, now: datetime | None = None) -> dict[str, str]:
    """What each variable stands for, where that is known.

    `timezone` is the visitor's, as in "Europe/Rome"; for an unknown one the server's own clock counts.
    """
    local = (now or datetime.now(UTC)).astimezone(_zone(timezone))
    known = {"date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}", "name": name, "model": model}
    return {variable: value for variable, value in known.items() if value}


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with these variables filled in; unknown ones stay as they are."""
    return _VARIABLE.sub(lambda found: values.get(found[1].lower(), found[0]), text)


def _zone(timezone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):  # no such zone, or no name of one
        return None
