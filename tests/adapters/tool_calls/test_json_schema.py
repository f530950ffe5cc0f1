"""What a schema says of its places, through references and combinations, and whatever it is given."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.object_shapes import TooManyShapes, shapes_of
from inference.adapters.tool_calls.schema_keywords import TYPES
from tests.each import each

DEFINED = {
    "$id": "https://example.org/tool",
    "$defs": {
        "text": {"type": "string"},
        "id/x": {"$ref": "#/$defs/text"},
        "anchored": {"$anchor": "here", "type": "boolean"},
        "loop": {"$ref": "#/$defs/loop"},
        "tree": {
            "type": "object",
            "properties": {"below": {"$ref": "#/$defs/tree"}, "name": {"$ref": "#/$defs/text"}},
        },
    },
    "definitions": {"old": {"type": "integer"}},
    "properties": {"a": {"type": "number"}},
}


def at(node: Any) -> Schema:
    """A place in the document above."""
    return Schema({**DEFINED, "properties": {**DEFINED["properties"], "here": node}}).member("here")  # type: ignore[dict-item]


@each(
    ("node", "types"),
    [
        ({"$ref": "#/$defs/text"}, {"string"}),
        ({"$ref": "#/$defs/id~1x"}, {"string"}),
        ({"$ref": "https://example.org/tool#/$defs/text"}, {"string"}),
        ({"$ref": "#here"}, {"boolean"}),
        ({"$ref": "#/definitions/old"}, {"integer"}),
        ({"$ref": "#/properties/a"}, {"number", "integer"}),
        ({"$ref": "#/$defs/nobody"}, TYPES),
        ({"$ref": "other.json#/x"}, TYPES),
        ({"$ref": "#/$defs/loop"}, TYPES),
        ({"$ref": "#"}, TYPES),
        ({"$ref": "#/$defs/text", "description": "a name"}, {"string"}),
        ({"allOf": [{"$ref": "#/$defs/text"}]}, {"string"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["null", "integer"]}]}, {"null"}),
        ({"anyOf": [{"$ref": "#/$defs/text"}, {"type": "null"}]}, {"string", "null"}),
        ({"oneOf": [{"const": "a"}, {"const": 1}]}, {"string", "integer"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"type": ["integer", "string"]}, {"integer", "string"}),
        ({"type": "any"}, TYPES),
        ({"type": ["float", "string"]}, {"string"}),
        ({"enum": ["a", None, 1.5]}, {"string", "null", "number"}),
        ({"enum": ["a", 1], "type": "integer"}, {"integer"}),
        (
            {"if": {"type": "string"}, "then": {"type": "string"}, "else": {"type": "null"}},
            {"string", "null"},
        ),
        ({}, TYPES),
        (True, TYPES),
        (False, set()),
    ],
)
def test_types_are_found_wherever_they_stand(node: Any, types: set[str]) -> None:
    assert at(node).types == types


@each(
    ("node", "values"),
    [
        ({"enum": ["a", 1]}, ["a", 1]),
        ({"const": True}, [True]),
        ({"enum": [1, True, "1"], "type": "boolean"}, [True]),
        ({"anyOf": [{"const": "a"}, {"type": "null"}]}, ["a", None]),
        ({"anyOf": [{"const": "a"}, {"type": "string"}]}, None),
        ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, ["b"]),
        ({"type": "boolean"}, [True, False]),
        ({"type": "string"}, None),
    ],
)
def test_the_only_values_are_known(node: Any, values: list[Any] | None) -> None:
    assert at(node).values == values


def test_the_only_texts_are_known_beside_other_values() -> None:
    mixed = at({"anyOf": [{"enum": ["a", "b"]}, {"type": "integer"}]})
    assert (mixed.values, mixed.strings) == (None, ["a", "b"])


def test_a_member_is_found_in_every_part() -> None:
    both = {"allOf": [{"$ref": "#/$defs/tree"}, {"properties": {"size": {"type": "integer"}}}]}
    assert at(both).member("name").is_string
    assert at(both).member("below").member("below").member("name").is_string
    assert at(both).member("size").types == {"integer"}
    assert at({"additionalProperties": {"type": "string"}}).member("any").is_string
    assert at({"patternProperties": {"(a+)+$": {"type": "string"}}}).member("a" * 64 + "!").is_string


def test_a_place_of_a_list_has_its_schema() -> None:
    listed = at({"prefixItems": [{"type": "integer"}], "items": {"$ref": "#/$defs/text"}})
    assert [sorted(listed.item(place).types) for place in range(2)] == [["integer"], ["string"]]


def test_a_place_alone_has_what_its_references_need() -> None:
    alone = at({"$ref": "#/$defs/tree"}).standalone()
    assert Schema(alone).member("below").member("name").is_string
    named = Schema({"properties": {"default": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"type": "string"}}})
    assert Schema(Schema({"allOf": [named.node]}, named.document).standalone()).member("default").is_string
    assert at({"const": {"$ref": "#/$defs/tree"}}).standalone()["const"] == {"$ref": "#/$defs/tree"}


WORDS = st.sampled_from(
    [
        *(
            "type",
            "properties",
            "required",
            "enum",
            "const",
            "anyOf",
            "allOf",
            "oneOf",
            "$ref",
            "$defs",
            "items",
        ),
        *(
            "prefixItems",
            "additionalProperties",
            "patternProperties",
            "if",
            "then",
            "else",
            "nullable",
            "minItems",
        ),
    ]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 3)
    | st.sampled_from(["string", "object", "#", "#/$defs/a", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.just("a"), inner, max_size=3),
    max_leaves=12,
)


@given(ANYTHING)
def test_whatever_stands_for_a_schema_is_no_failure(node: Any) -> None:
    found = Schema({"properties": {"a": node}, "$defs": {"a": node}}).member("a")
    assert found.types <= TYPES
    found.values, found.strings, found.key, found.lower_bound("minItems")  # noqa: B018
    found.member("a").item(0).member("b").types  # noqa: B018
    json.dumps(found.standalone())
    with suppress(TooManyShapes):
        shapes_of(found)
