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
    all_errors,
)
from inference.core.image_errors import InvalidImage

_LONGEST_STEP = 64  # of a path in an error: the rest is the client's own text
_NO_OBJECT = ("model_type", "model_attributes_type", "dict_type")  # by pydantic's names
_KINDS = ("union_tag_not_found", "union_tag_invalid")  # a union by a field such as `type`
_OF_PICTURES: list[type[ServerError]] = [InvalidImage, *all_errors(InvalidImage)]
_PICTURES = {kind.code: kind for kind in _OF_PICTURES}
_SIZE_FOUND = re.compile(" after validation, not .*")


def field_error(error: ErrorDetails, fields: dict[str, Any]) -> ServerError:
    """The first error, with `param` as a dotted path such as messages.0.role."""
    param = ".".join(str(step)[:_LONGEST_STEP] for step in _path(error, fields))
    if error["type"] in (UNSUPPORTED, EXCLUSIVE):
        refusal = UnsupportedField if error["type"] == UNSUPPORTED else ExclusiveFields
        return refusal(error["msg"].replace("<field>", repr(param)), param=param)
    if error["type"] in ("missing", "union_tag_not_found"):
        return InvalidValue(f"{param!r} is required.", param=param)
    text = _text_of(error)
    kind = _PICTURES.get(error["type"], InvalidValue)
    return kind(f"{param!r} is not valid: {text[0].lower()}{text[1:]}.", param=param)


def _text_of(error: ErrorDetails) -> str:
    """What is wrong, without pydantic's own terms."""
    if error["type"] in _NO_OBJECT:
        return "It must be an object"
    if error["type"] in _KINDS:
        return f"It must be one of {error['ctx']['expected_tags']}"
    return _SIZE_FOUND.sub("", error["msg"])


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
    context = error.get("ctx", {})
    field = context["discriminator"].strip("'") if error["type"] in _KINDS else context.get("field")
    return [*found, field] if field else found


def _key_of(value: Any, step: int | str) -> int | str | None:
    """The key of `value` that pydantic's step means; None where the step is no place in the body."""
    if isinstance(value, list):
        return step if isinstance(step, int) and step < len(value) else None
    return sent_name(str(step), value) if isinstance(value, dict) else None
