"""Values in a notation without quotes: the schema of their place decides what they are.

If only a string is allowed, the value is its text; otherwise it is parsed as JSON if possible. Templates
write True and None as Python does, so models do, too.
"""

import json
import re
from typing import Any

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, Unfinished
from inference.adapters.tool_calls.string_escapes import json_string

_PYTHON = {"True": "true", "False": "false", "None": "null"}
_WHOLE = re.compile(r"-?[0-9]+")
_BRACKETS = ("[", "{", '"')
_EXACT = 2**53  # above it a float is not the integer that was written


def value_of(text: str, schema: Schema) -> str:
    """The JSON of the value that `text` represents; raises ValueError for an incomplete list or object.

    1. If the schema accepts only strings, it is the text.
    2. If the schema lists its values, it is the one that is written so.
    3. Otherwise it is parsed: strictly as JSON if strings are accepted, else as a literal of JSON or Python.
    4. 2.0 becomes 2 where only integers are accepted.
    5. A value of another type is a string if strings are accepted, and returned as it is if not.
    """
    if schema.is_string:
        return json_string(text)
    if (listed := _listed(text, schema)) is not None:
        return listed
    value = _json_of(text, schema) if schema.accepts_string else _literal_of(text)
    if value is None:
        return json_string(text)
    kind = _type_of(value)
    if kind == "number" and "integer" in schema.types and "number" not in schema.types:
        value, kind = _whole(value)
    fits = kind in schema.types or (kind == "integer" and "number" in schema.types)
    return value if fits or not schema.accepts_string else json_string(text)


def bare(value: Any) -> str:
    """A value as it is written without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _listed(text: str, schema: Schema) -> str | None:
    """The listed value that is written so; None if there is none."""
    found = [value for value in schema.values or () if bare(value) == text]
    return json.dumps(found[0]) if found else None


def _json_of(text: str, schema: Schema) -> str | None:
    """The value, if strings are accepted as well: only exact JSON is not a string."""
    if not schema.is_unrestricted and (text != text.strip() or text.startswith('"')):
        return None
    plain = text.strip()
    if plain in _PYTHON:
        return _PYTHON[plain]
    try:
        json.loads(plain, parse_constant=_refuse)
    except (ValueError, RecursionError):
        if schema.is_unrestricted and plain.startswith(_BRACKETS):
            _check_is_whole(plain)
        return None
    return plain


def _check_is_whole(text: str) -> None:
    """Raises Unfinished for JSON whose end is behind a tag that one of its strings contains."""
    try:
        Literals(text).value()
    except Unfinished:
        raise
    except (ValueError, RecursionError):
        return


def _literal_of(text: str) -> str | None:
    read = Literals(text)
    try:
        value = read.value()
        if read.is_at_end:
            return value
    except (ValueError, RecursionError):
        pass
    if text.lstrip().startswith(_BRACKETS):
        raise ValueError("a value is incomplete")
    return None


def _type_of(value: str) -> str:
    kinds = {'"': "string", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}
    return kinds.get(value[0]) or ("integer" if _WHOLE.fullmatch(value) else "number")


def _whole(value: str) -> tuple[str, str]:
    """2.0 is 2 where an integer is required."""
    number = float(value)
    is_exact = number.is_integer() and abs(number) < _EXACT
    return (str(int(number)), "integer") if is_exact else (value, "number")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
