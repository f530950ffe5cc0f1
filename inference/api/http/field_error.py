"""The error for a field of a body that does not fit its schema."""

import re
from typing import Any

from pydantic_core import ErrorDetails

from inference.api.http.strict_schema import EXCLUSIVE, UNSUPPORTED, sent_name
from inference.core.errors import (
    ExclusiveFields,
    InvalidValue,
    ServerError,
    UnsupportedField,
)

_LONGEST_STEP = 64  # of a path in an error: the rest is the client's own text
_REWORDED = {"model_type": "It must be an object", "dict_type": "It must be an object"}  # by pydantic's names
_SIZE_FOUND = re.compile(" after validation, not .*")


def field_error(error: ErrorDetails, fields: dict[str, Any]) -> ServerError:
    """The first error, with `param` as a dotted path such as messages.0.role."""
    param = ".".join(str(step)[:_LONGEST_STEP] for step in _path(error, fields))
    if error["type"] in (UNSUPPORTED, EXCLUSIVE):
        kind = UnsupportedField if error["type"] == UNSUPPORTED else ExclusiveFields
        return kind(error["msg"].replace("<field>", repr(param)), param=param)
    if error["type"] == "missing":
        return InvalidValue(f"{param!r} is required.", param=param)
    text = _REWORDED.get(error["type"]) or _SIZE_FOUND.sub("", error["msg"])
    return InvalidValue(f"{param!r} is not valid: {text[0].lower()}{text[1:]}.", param=param)


def _path(error: ErrorDetails, fields: dict[str, Any]) -> list[int | str]:
    """Where in the body it is; what else pydantic names, such as the branch of a union, is no place there."""
    found: list[int | str] = []
    value: Any = fields
    for step in error["loc"]:
        if (key := _key_of(value, step)) is not None:
            value = value[key]
            found.append(key)
    if error["type"] == "missing":
        found.append(error["loc"][-1])
    field = error.get("ctx", {}).get("field")
    return [*found, field] if field else found


def _key_of(value: Any, step: int | str) -> int | str | None:
    """The key of `value` that pydantic's step means; None where the step is no place in the body."""
    if isinstance(value, list):
        return step if isinstance(step, int) and step < len(value) else None
    return sent_name(str(step), value) if isinstance(value, dict) else None
