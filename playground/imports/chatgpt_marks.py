"""Marks in ChatGPT's texts, between characters of private use: only its own page knows what to draw there."""

import json
import re

_MARK = re.compile("\ue200([^\ue200\ue201]*)\ue201")
_SEPARATOR = "\ue202"
_STRAY = re.compile("[\ue200-\ue206]")


def replaced(text: str) -> str:
    """The text with links and names in the place of their marks, and without those of sources."""
    if "\ue200" not in text:
        return text
    return _STRAY.sub("", _MARK.sub(lambda mark: _replacement(mark[1]), text))


def _replacement(mark: str) -> str:
    kind, *parts = mark.split(_SEPARATOR)
    if kind == "url" and len(parts) > 1:
        return f"[{parts[0]}]({parts[1]})"
    if kind == "entity" and parts:
        return _name(parts[0])
    return ""  # of a source, or of a picture


def _name(entity: str) -> str:
    """The second value of a JSON list: its kind, its name, and what tells it from others."""
    try:
        values = json.loads(entity)
    except ValueError:
        return ""
    return str(values[1]) if isinstance(values, list) and len(values) > 1 else ""
