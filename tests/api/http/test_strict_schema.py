"""The base of every body."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from inference.api.http.strict_schema import NOTES_UNKNOWN, Body, noted_in
from tests.each import each


class Small(Body):
    size: int
    way: Literal["a", "b"] = "a"
    own: Annotated[str, Field(alias="else")] = ""


def test_an_unknown_field_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Small.model_validate({"size": 1, "colour": "red"})


def test_an_unknown_field_is_noted_where_the_operator_wants_that() -> None:
    made = Small.model_validate({"size": 1, "colour": "red"}, context={NOTES_UNKNOWN: True})
    assert list(noted_in(made)) == ["colour"]
    assert list(noted_in(Small.model_validate({"size": 1}))) == []


@each("size", ["1", True, 1.5, None])
def test_a_value_of_another_type_is_not_converted(size: object) -> None:
    with pytest.raises(ValidationError):
        Small.model_validate({"size": size})
