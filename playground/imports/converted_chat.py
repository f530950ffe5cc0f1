"""A chat of any format, converted to the one that this site writes itself."""

import hashlib
import json
from collections import Counter
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
        messages = self.fields.get("messages")
        seen = json.dumps([self.origin, messages], sort_keys=True, default=str)
        return hashlib.sha256(seen.encode(errors="replace")).hexdigest()

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
