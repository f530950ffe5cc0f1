"""The alternatives of an object are the combinations that its schema allows."""

from typing import Any

import pytest

from inference.adapters.tool_calls.object_shapes import TooManyShapes, shapes_of
from tests.adapters.tool_calls.test_json_schema import at


def shapes(node: Any) -> list[tuple[list[str], set[str]]]:
    return [(list(shape.members), set(shape.required)) for shape in shapes_of(at(node))]


def test_the_shapes_of_an_object_are_all_its_combinations() -> None:
    a: Any = {"properties": {"a": {}}, "required": ["a"]}
    b: Any = {"properties": {"b": {}}}
    assert shapes({"allOf": [a, b]}) == [(["a", "b"], {"a"})]
    assert shapes({"anyOf": [a, b]}) == [(["a"], {"a"}), (["b"], set())]
    assert shapes({"required": ["c"]}) == [(["c"], {"c"})]
    assert shapes({"allOf": [a, {**b, "additionalProperties": False}]}) == []
    assert shapes({"allOf": [{"properties": {"a": {}}}, {**b, "additionalProperties": False}]}) == [
        (["b"], set())
    ]


def test_too_many_shapes_are_reported() -> None:
    two: Any = {"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}
    with pytest.raises(TooManyShapes):
        shapes({"allOf": [two] * 6})
