"""Values without quotes, typed by the schema of their place."""

import json
from typing import Any

import pytest

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Unfinished
from inference.adapters.tool_calls.unquoted_values import value_of
from tests.each import each


@each(
    ("text", "schema", "value"),
    [
        ("12", {"type": "string"}, "12"),
        ("12", {"enum": ["12", "13"]}, "12"),
        ("12", {"type": "integer"}, 12),
        ("12.0", {"type": "integer"}, 12),
        ("12", {"type": "number"}, 12),
        ("12", {"type": ["string", "null"]}, "12"),
        ("null", {"type": ["string", "null"]}, None),
        ('"a"', {"type": ["string", "null"]}, '"a"'),
        ('"a"', {}, "a"),
        ("null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ("12", {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/x"}]}, 12),
        ("True", {"type": "boolean"}, True),
        ("None", {}, None),
        ('["a"]', {"type": "array"}, ["a"]),
        ("a b", {"type": "integer"}, "a b"),
        ("NaN", {"type": "number"}, "NaN"),
        ("[" * 9999, {}, "[" * 9999),
        ('{"a": 1}', None, {"a": 1}),
        ("a", True, "a"),
    ],
)
def test_a_value_is_what_the_schema_asks_for(text: str, schema: Any, value: Any) -> None:
    found = json.loads(value_of(text, Schema(schema)))
    assert (type(found), found) == (type(value), value)


def test_only_a_string_and_nothing_else_is_written_bare() -> None:
    assert Schema({"type": "string"}).is_string
    assert not any(
        Schema(schema).is_string for schema in ({"type": ["string", "null"]}, {}, None, {"enum": ["a", 1]})
    )


@each("text", ['"]', '"a\\"', '["a", "b', '{"a": "b', '{"a'])
def test_a_string_without_its_end_is_half_a_value_where_anything_may_stand(text: str) -> None:
    with pytest.raises(Unfinished):
        value_of(text, Schema.of("{}"))


@each("text", ['"a" or "b"', "[1, 2", "[note] a", "{x}", 'a "b'])
def test_what_is_no_json_is_text_where_anything_may_stand(text: str) -> None:
    assert json.loads(value_of(text, Schema.of("{}"))) == text
