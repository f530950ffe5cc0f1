"""The fields of a converted chat, checked in slices: other threads wait for each call of native code."""

from collections.abc import Mapping
from typing import Any

from inference.api.http import strict_json
from inference.core.errors import InvalidRequest, InvalidValue
from playground.schemas import MOST_IMPORTED, ImportBody

AT_ONCE = 200  # messages
_NO_MESSAGES: Mapping[str, Any] = {"format": "mlxsite-conversation-1"}


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are stored; raises InvalidRequest, which names the field as a whole check does."""
    messages = fields.get("messages")
    if not isinstance(messages, list) or len(messages) <= AT_ONCE:
        return _checked(fields)
    if len(messages) > MOST_IMPORTED:
        raise InvalidValue(f"It has more than {MOST_IMPORTED:,} messages.", param="messages")
    whole = _checked({**fields, "messages": messages[:AT_ONCE]})
    for start in range(AT_ONCE, len(messages), AT_ONCE):
        whole["messages"] += _slice(messages, start)
    return whole


def _slice(messages: list[Any], start: int) -> list[Any]:
    try:
        found: list[Any] = _checked({**_NO_MESSAGES, "messages": messages[start : start + AT_ONCE]})[
            "messages"
        ]
    except InvalidRequest as error:
        raise _moved(error, start) from None
    return found


def _moved(error: InvalidRequest, start: int) -> InvalidRequest:
    """The error with the place of its message in the whole chat."""
    name, _, rest = (error.param or "").partition(".")
    number, dot, rest = rest.partition(".")
    if name != "messages" or not number.isdecimal():
        return error
    place = f"{name}.{int(number) + start}{dot}{rest}"
    return type(error)(error.message.replace(repr(error.param), repr(place)), param=place)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    return strict_json.check(fields, ImportBody).model_dump(exclude_unset=True)  # a call may have no result
