"""JSON Schemas as rules in Gemma's notation, followed by llguidance."""

import json
from typing import Any

import llguidance
import llguidance.hf
import pytest

from inference.adapters.tool_calls.gemma_grammar import PLAIN_KEY, GemmaRules
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.object_shapes import TooManyShapes
from tests.adapters.grammar_samples import vocabulary
from tests.each import each

QUOTE = "<q>"


def rules_of(schema: dict[str, Any]) -> str:
    rules = GemmaRules(json.dumps(QUOTE), QUOTE)
    start = rules.object_of(Schema({"type": "object", **schema}))
    return "\n".join([f"start: {start}", *rules.lines])


def follows(schema: dict[str, Any], text: str) -> bool:
    """Whether this text is a whole object of the grammar."""
    made = vocabulary()
    matcher = llguidance.LLMatcher(made.grammars, llguidance.LLMatcher.grammar_from_lark(rules_of(schema)))
    tokens = made.spelt(text)
    assert not matcher.get_error()
    return bool(matcher.consume_tokens(tokens)) and matcher.is_accepting()


@each(
    ("schema", "text", "is_followed"),
    [
        ({"properties": {"a": {"type": "string"}}}, "{a:<q>hi<q>}", True),
        ({"properties": {"a": {"type": "string"}}}, "{}", True),
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, "{}", False),
        ({"properties": {"a": {"type": "integer"}}}, "{a:12}", True),
        ({"properties": {"a": {"type": "integer"}}}, "{a:<q>12<q>}", False),
        ({"properties": {"a": {"enum": ["x", 1]}}}, "{a:<q>x<q>}", True),
        ({"properties": {"a": {"enum": ["x", 1]}}}, "{a:<q>y<q>}", False),
        ({"properties": {"a": {"type": "array", "items": {"type": "null"}}}}, "{a:[null,null]}", True),
        ({"properties": {"a": {"type": "array", "items": {"type": "null"}}}}, "{a:[1]}", False),
        ({"properties": {"a": {"type": "array", "minItems": 1}}, "required": ["a"]}, "{a:[]}", False),
        ({"properties": {"a b:": {"type": "boolean"}}, "required": ["a b:"]}, "{<q>a b:<q>:true}", True),
    ],
)
def test_an_object_follows_its_schema(schema: dict[str, Any], text: str, is_followed: bool) -> None:
    assert follows({**schema, "additionalProperties": False}, text) == is_followed


def test_a_required_member_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(Unwritable, match="cannot be written"):
        rules_of({"properties": {"a<q>b": {}}, "required": ["a<q>b"]})


def test_a_schema_without_any_object_is_refused() -> None:
    with pytest.raises((Unwritable, TooManyShapes)):
        rules_of({"properties": {"a": False}, "required": ["a"]})


@each(("key", "is_plain"), [("city", True), ("a b", True), ("a:b", False), (" a", False)])
def test_a_plain_key_needs_no_quotes(key: str, is_plain: bool) -> None:
    assert bool(PLAIN_KEY.fullmatch(key)) == is_plain
