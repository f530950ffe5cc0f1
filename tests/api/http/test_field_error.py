"""The error for a field that does not fit its schema."""

from typing import Any

import pydantic
import pytest

from inference.api.http.field_error import field_error
from inference.api.http.strict_schema import Body, Part, unsupported
from inference.core.errors import InvalidValue, UnsupportedField
from tests.each import each


class Inner(Part):
    role: str


class Outer(Body):
    messages: list[Inner] = []
    count: int | None = None


def error_of(fields: dict[str, Any]) -> InvalidValue | UnsupportedField:
    with pytest.raises(pydantic.ValidationError) as caught:
        Outer.model_validate(fields)
    return field_error(caught.value.errors(include_url=False, include_input=False)[0], fields)  # type: ignore[return-value]


@each(
    ("fields", "param", "message"),
    [
        ({"messages": [{}]}, "messages.0.role", "'messages.0.role' is required."),
        ({"messages": [{"role": "a"}, {"role": 1}]}, "messages.1.role", "'messages.1.role' is not valid"),
        ({"messages": ["a"]}, "messages.0", "'messages.0' is not valid: it must be an object."),
        ({"count": "x"}, "count", "'count' is not valid"),
    ],
)
def test_the_parameter_is_a_dotted_path(fields: dict[str, Any], param: str, message: str) -> None:
    error = error_of(fields)
    assert isinstance(error, InvalidValue) and error.param == param
    assert error.message.startswith(message)


def test_an_unsupported_field_keeps_its_own_reason() -> None:
    found = unsupported("<field> is for images.")
    details: Any = {"type": found.type, "loc": ("messages", 0), "msg": found.message(), "ctx": {}}
    error = field_error(details, {"messages": [{}]})
    assert isinstance(error, UnsupportedField)
    assert (error.param, "'messages.0' is for images." in error.message) == ("messages.0", True)


def test_a_long_name_is_cut() -> None:
    error = error_of({"n" * 500: 1})
    assert error.param == "n" * 64
