"""A chat of any format, converted to the one that this site writes itself."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field


class ConvertedChat(Struct):
    """`fields` are a body for `schemas.ImportBody`; `left_out` counts what the file does not have."""

    fields: dict[str, Any]
    origin: str  # the format, and the chat's id there
    left_out: Counter[str] = field(default_factory=Counter)
    problem: str = ""  # why something of it could not be had, as a sentence

    @property
    def import_key(self) -> str:
        """What recognises the same chat in a further import: it changes when the chat has grown."""
        digest = hashlib.sha256()
        for part in _written(self.origin, self.fields.get("messages")):
            digest.update(part.encode(errors="replace"))
        return digest.hexdigest()

    @property
    def title(self) -> str:
        title = self.fields.get("title")
        return title[:200] if isinstance(title, str) and title.strip() else "A chat without a title"

    @property
    def note(self) -> str:
        """What of the chat is missing, in a sentence; usually empty."""
        counted = [(count, name if count == 1 else f"{name}s") for name, count in self.left_out.items()]
        parts = [f"{count} {name}" for count, name in counted if count]
        missing = f"Without {', '.join(parts)} that the file only names." if parts else ""
        return " ".join(filter(None, (missing, self.problem)))


def _written(origin: str, messages: Any) -> Iterator[str]:
    """The JSON of both as a list, in parts: to write it in one call would keep other threads waiting."""
    if not isinstance(messages, list):
        yield _json([origin, messages])
        return
    yield f"[{_json(origin)}, ["
    for place, message in enumerate(messages):
        yield f", {_json(message)}" if place else _json(message)
    yield "]]"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
