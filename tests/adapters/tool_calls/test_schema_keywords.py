"""The keywords of JSON Schema in one node."""

from typing import Any

from inference.adapters.tool_calls.schema_keywords import (
    TYPES,
    all_values,
    any_of,
    item_of,
    member_of,
    own_types,
    own_values,
    required_of,
    value_types,
)
from tests.each import each

STRING, NUMBER = {"type": "string"}, {"type": "number"}


@each(
    ("node", "types"),
    [
        ({}, TYPES),
        ({"type": "string"}, {"string"}),
        ({"type": ["null", "boolean"]}, {"null", "boolean"}),
        ({"type": "number"}, {"number", "integer"}),
        ({"type": "any"}, TYPES),
        ({"enum": ["a", 1]}, {"string", "integer"}),
        ({"type": "string", "enum": ["a", 1]}, {"string"}),
        ({"const": None}, {"null"}),
    ],
)
def test_a_node_leaves_types(node: dict[str, Any], types: set[str]) -> None:
    assert own_types(node) == types


@each(
    ("value", "types"),
    [(2.0, {"number", "integer"}), (2.5, {"number"}), (2, {"integer"}), (True, {"boolean"}), ([], {"array"})],
)
def test_a_whole_number_is_an_integer_and_a_boolean_is_none(value: Any, types: set[str]) -> None:
    assert value_types(value) == types


def test_const_counts_before_enum() -> None:
    assert own_values({"const": 1, "enum": [2]}) == [1]
    assert own_values({"enum": [2, 3]}) == [2, 3]
    assert own_values({"enum": "abc"}) is None


def test_only_null_and_booleans_can_be_listed() -> None:
    assert all_values(frozenset({"null", "boolean"})) == [None, True, False]
    assert all_values(frozenset({"boolean", "string"})) is None


def test_required_names_that_are_no_texts_are_ignored() -> None:
    assert required_of({"required": ["a", 1, "b"]}) == ["a", "b"]
    assert required_of({"required": "a"}) == []


def test_each_combination_is_a_list_of_choices() -> None:
    node = {"anyOf": [STRING], "oneOf": [NUMBER, STRING], "if": {}, "else": NUMBER}
    assert list(any_of(node)) == [[STRING], [NUMBER, STRING], [True, NUMBER]]
    assert list(any_of({"anyOf": [], "if": {}})) == []


def test_a_member_is_a_property_or_one_of_the_others() -> None:
    node = {"properties": {"a": STRING}, "patternProperties": {"^b": NUMBER}, "additionalProperties": STRING}
    assert member_of(node, "a") == STRING
    assert member_of(node, "b") == {"anyOf": [NUMBER, STRING]}
    assert member_of({"additionalProperties": NUMBER}, "c") == NUMBER
    assert member_of({"additionalProperties": False}, "c") is None


def test_an_item_has_its_own_schema_or_that_of_the_others() -> None:
    node = {"prefixItems": [STRING], "items": NUMBER}
    assert [item_of(node, place) for place in (0, 1)] == [STRING, NUMBER]
    assert item_of({"items": [STRING, NUMBER]}, 1) == NUMBER
    assert item_of({"prefixItems": [STRING], "items": False}, 1) is False
    assert item_of({}, 0) is None
