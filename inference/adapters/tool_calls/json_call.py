"""A complete tool call that is a JSON object, whatever the order of its members."""

import json
from math import isfinite
from typing import Any

# What a call may have beside its name and its arguments.
_OTHER_MEMBERS = {"id", "type", "tool_call_id", "index"}


def parse_call(text: str, name_key: str) -> tuple[str, str] | None:
    """Name and JSON arguments of the call in `text`; None if it is not a call.

    `name_key` is the member with the function's name. The arguments may be an object, an object encoded in a
    string as in OpenAI's API, an empty list, or missing.
    """
    call = parse_object(text) or {}
    name = call.pop(name_key, None)
    given = [call.pop(key, None) for key in ("arguments", "parameters")]
    arguments = next((one for one in given if one is not None), None)
    if isinstance(arguments, str):
        arguments = parse_object(arguments or "{}")
    elif arguments is None and not call.keys() - _OTHER_MEMBERS:
        arguments = {}
    if not isinstance(name, str) or not (isinstance(arguments, dict) or arguments == []):
        return None
    return name, json.dumps(arguments or {})


def parse_object(text: str) -> dict[str, Any] | None:
    """The object that `text` is the JSON of; None for any other value, for NaN and for infinite numbers."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    return float(digits) if isfinite(float(digits)) else _refuse(digits)
