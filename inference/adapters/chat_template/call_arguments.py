"""Makes the arguments of a call in the history a JSON object, whatever form the client has sent.

Clients that join the deltas of a stream send "" for a tool without parameters, others encode the arguments
twice (https://github.com/JetBrains/koog/issues/2058), and an answer that max_tokens cut has only a part of
them. Templates expect an object, and many accept nothing else.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from inference.adapters.tool_calls.literals import Literals
from inference.core.requests import Message

_MOST_ENCODED = 4  # times
_MARK = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|,(?=\s*[}\]])', re.DOTALL)
_BEHIND = re.compile(r"[\s}\],;]*")
_HALF_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u[0-9a-fA-F]{0,3})?\Z")
# An incomplete member or literal at the end.
_HALF = re.compile(r'(?<=[,{\[])\s*(?:"(?:[^"\\]|\\.)*"\s*(?::\s*[-+.\w]*)?|[-+.\w]+)\Z', re.DOTALL)
_LONGEST_HALF = 4096  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")


def with_object_arguments(messages: Sequence[Message]) -> list[Message]:
    """The messages, with an object as the arguments of each call."""
    return [_with_objects(message) if message.tool_calls else message for message in messages]


def _with_objects(message: Message) -> Message:
    calls = (structs.replace(call, arguments=object_of(call.arguments)) for call in message.tool_calls)
    return structs.replace(message, tool_calls=tuple(calls))


def object_of(text: str) -> str:
    """The JSON of an object for these arguments.

    1. An object stays as it is; an empty text, null and an empty list are {}.
    2. A string is decoded once more, at most four times.
    3. What is not JSON is tried without trailing commas, without superfluous brackets behind it, with the
       strings and brackets that a cut has left open closed, and as a literal of Python.
    4. Anything else is put unchanged into an object, as its member `arguments`.
    """
    return _object_of(text, _MOST_ENCODED) or _written({"arguments": text})


def _object_of(text: str, most: int) -> str:
    if not text.strip():
        return "{}"
    value = _parsed(text)
    if isinstance(value, dict):
        return text if _is_exact(text) else _written(value)
    if value is None or value == []:
        return "{}" if _is_json(text) else _repaired(text)
    return _object_of(value, most - 1) if isinstance(value, str) and most else ""


def _repaired(text: str) -> str:
    """The JSON of what is not JSON and can be read as an object; empty if it cannot."""
    for found in (
        _parsed(_without_commas(text)),
        _first(text),
        _closed(_without_commas(text)),
        _python(text),
    ):
        if isinstance(found, dict):
            return _written(found)
    return ""


def _parsed(text: str) -> Any:
    """The value; None if it is not JSON."""
    try:
        return json.loads(text, strict=False)  # strings may hold line breaks
    except (ValueError, RecursionError):
        return None


def _is_json(text: str) -> bool:
    return _parsed(text) is not None or text.strip() == "null"


def _is_exact(text: str) -> bool:
    """Whether it can be passed on as it is: half a surrogate pair cannot be encoded."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _without_commas(text: str) -> str:
    """Without commas before a closing bracket."""
    return _STRING_OR_COMMA.sub(lambda found: found[0] if found[0] != "," else "", text)


def _first(text: str) -> Any:
    """The value at the start, if only superfluous brackets follow it."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return value if _BEHIND.fullmatch(text.lstrip(), end) else None


def _closed(text: str) -> Any:
    """The value of a text that was cut: open strings and brackets closed, an incomplete member left out."""
    closers, is_in_string = [], False
    for found in _MARK.finditer(text):
        mark = found[0]
        if mark == '"':
            is_in_string = not is_in_string
        elif not is_in_string and mark in "{[":
            closers.append("}" if mark == "{" else "]")
        elif not is_in_string and mark in "}]" and (not closers or closers.pop() != mark):
            return None
    whole = _HALF_ESCAPE.sub("", text) + '"' if is_in_string else text.rstrip()
    half = _HALF.search(whole, max(0, len(whole) - _LONGEST_HALF))
    tries = [whole, whole[: half.start()] if half else whole]
    end = "".join(reversed(closers))
    values = (_parsed(one.rstrip().removesuffix(",") + end) for one in tries)
    return next((value for value in values if value is not None), None)


def _python(text: str) -> Any:
    read = Literals(text)
    try:
        value = json.loads(read.value())
    except (ValueError, RecursionError):
        return None
    return value if read.is_at_end else None


def _written(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
    return _SURROGATE.sub("\ufffd", text)
