"""Text as PostgreSQL can store it: it refuses NUL, and halves of surrogate pairs in JSON.

Models and clients may send both. U+FFFD stands for each, in columns of text and in those of JSON.
"""

import re
from typing import Any

from psycopg.types.json import Jsonb, JsonbDumper
from psycopg.types.string import StrDumper

NUL, STAND_IN = "\0", "\N{REPLACEMENT CHARACTER}"
# Every escape of a JSON text: those that stay, whole pairs among them, have no group.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_MAY_CHANGE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class TextDumper(StrDumper):
    """Writes text without NUL."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace(NUL, STAND_IN) if NUL in obj else obj)


class JSONDumper(JsonbDumper):
    """Writes JSON without what PostgreSQL refuses."""

    def dump(self, obj: Any) -> Any:
        written = super().dump(obj)
        return storable_json(bytes(written)) if written is not None else None


def storable_json(text: bytes) -> bytes:
    """A JSON text, in ASCII, as PostgreSQL can store it."""
    if not _MAY_CHANGE.search(text):
        return text
    return _ESCAPES.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], text)


def register(connection: Any) -> None:
    """Have a new connection write text and JSON so."""
    connection.adapters.register_dumper(str, TextDumper)
    connection.adapters.register_dumper(Jsonb, JSONDumper)
