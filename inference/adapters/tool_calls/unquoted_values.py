"""Values that stand in a notation without quotes: what they are taken for follows the schema of their place.

One that may only be a string is its text as it is, any other is JSON where it can be. Templates write True
and None as Python does, so models do, too.
"""

import json
import re
from typing import Any

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, Unfinished, json_string

_PYTHON = {"True": "true", "False": "false", "None": "null"}
_WHOLE = re.compile(r"-?[0-9]+")
_BRACKETS = ("[", "{", '"')
_EXACT = 2**53  # above it a float is not the integer that was written


def value_of(text: str, schema: Schema) -> str:
    """The JSON text of the value that `text` stands for; raises ValueError for half a list, object or string.

    What fits nothing that is asked for is a string where a string will do, and else the model's own affair.
    """
    if schema.is_text:
        return json_string(text)
    if (listed := _listed(text, schema)) is not None:
        return listed
    value = _json_of(text, schema) if schema.takes_text else _literal_of(text)
    if value is None:
        return json_string(text)
    kind = _kind_of(value)
    if kind == "number" and "integer" in schema.types and "number" not in schema.types:
        value, kind = _whole(value)
    fits = kind in schema.types or (kind == "integer" and "number" in schema.types)
    return value if fits or not schema.takes_text else json_string(text)


def bare(value: Any) -> str:
    """How a value is written without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _listed(text: str, schema: Schema) -> str | None:
    """The value that is written so, where the schema lists its values."""
    found = [value for value in schema.values or () if bare(value) == text]
    return json.dumps(found[0]) if found else None


def _json_of(text: str, schema: Schema) -> str | None:
    """Where strings are allowed, only what is JSON to the letter is something else."""
    if not schema.is_open and (text != text.strip() or text.startswith('"')):
        return None
    plain = text.strip()
    if plain in _PYTHON:
        return _PYTHON[plain]
    try:
        json.loads(plain, parse_constant=_refuse)
    except (ValueError, RecursionError):
        if schema.is_open and plain.startswith(_BRACKETS):
            _check_is_whole(plain)
        return None
    return plain


def _check_is_whole(text: str) -> None:
    """Unfinished for JSON whose end lies behind a tag that its strings hold."""
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
        raise ValueError("a value is broken")
    return None


def _kind_of(value: str) -> str:
    kinds = {'"': "string", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}
    return kinds.get(value[0]) or ("integer" if _WHOLE.fullmatch(value) else "number")


def _whole(value: str) -> tuple[str, str]:
    """2.0 where an integer is asked for is 2."""
    number = float(value)
    is_exact = number.is_integer() and abs(number) < _EXACT
    return (str(int(number)), "integer") if is_exact else (value, "number")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
