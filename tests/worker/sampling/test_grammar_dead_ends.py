"""Schemas that would lead an answer into a dead end, compared with llguidance itself."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from inference.core.errors import InvalidRequest
from inference.core.requests import Tool
from inference.worker.sampling.grammar_dead_ends import dead_end
from tests.adapters.families import test_gemma, test_qwen
from tests.each import each
from tests.worker.sampling.test_grammar import around, asking, grammar_of, loaded

pytestmark = pytest.mark.mlx


def can_continue(schema: Mapping[str, Any], begun: str) -> bool:
    return True


def stops(schema: Mapping[str, Any], begun: str) -> bool:
    return False


LIST = {"type": "array", "items": {"$ref": "#/$defs/a"}}


@pytest.mark.parametrize(
    "node",
    [
        {"$ref": "#/$defs/a"},
        {"allOf": [{"$ref": "#/$defs/a"}]},
        {"anyOf": [{"$ref": "#/$defs/a"}]},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]},
        {**LIST, "minItems": 1},
        {"type": "array", "prefixItems": [{"$ref": "#/$defs/a"}], "minItems": 1},
    ],
)
def test_what_holds_itself_without_an_end_is_one(node: Any) -> None:
    assert "'$ref'" in dead_end(
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": node}}, can_continue
    )


@each(
    "node",
    [
        LIST,
        {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}},
        {"type": "array", "prefixItems": [{"type": "null"}], "items": False, "minItems": 1},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]},
        {"enum": [1]},
        {"type": "objekt"},
        {"required": 5, "type": [{}], "anyOf": 7, "properties": [], "minItems": "x"},
        True,
        7,
    ],
)
def test_what_may_end_is_none(node: Any) -> None:
    assert dead_end({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": node}}, can_continue) == ""


def test_a_pattern_of_names_is_tried_beside_the_names_that_are_taken() -> None:
    tried: list[tuple[Any, str]] = []

    def noting(schema: Mapping[str, Any], begun: str) -> bool:
        tried.append((list(schema["patternProperties"]), begun))
        return True

    schema = {"properties": {"a": {}}, "required": ["b"], "patternProperties": {"^[ab]$": {}}}
    assert dead_end(schema, noting) == ""
    assert tried == [(["^[ab]$"], '{"a": null, "b": null, ')]
    assert "'patternProperties'" in dead_end(schema, stops)


def test_a_crowded_place_is_tried_before_an_answer_comes_to_it() -> None:
    inside = {"type": "object", "properties": {f"p{i}": {} for i in range(101)}}
    schema = {"type": "object", "properties": {"a": inside}}
    assert dead_end(schema, can_continue) == ""
    assert "too complex" in dead_end(schema, stops)
    few = {"anyOf": [{"type": "object", "properties": {f"p{i}": {} for i in range(9)}}] * 9}
    assert dead_end({"properties": {"a": few}}, stops) == ""


NAMED = {"a": {"type": "integer"}, "b": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            {"type": "object", "properties": NAMED, "patternProperties": {"^(a|b)$": {}}},
            "'patternProperties'",
        ),
        (
            {"type": "object", "required": ["k"], "patternProperties": {"^k$": {"type": "null"}}},
            "'patternProp",
        ),
        (
            {
                "allOf": [
                    {"properties": NAMED},
                    {"patternProperties": {"^a$": {}}, "additionalProperties": False},
                ]
            },
            "'patternProperties'",
        ),
        (
            {"properties": {"in": {"type": "object", "patternProperties": {r"[^\s\S]": {}}}}},
            "'patternProperties'",
        ),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself"),
        (
            {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"allOf": [{"$ref": "#/$defs/n"}]}}},
            "refers",
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/n"}},
                "$defs": {
                    "n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "required": ["n"]}
                },
            },
            "refers to itself",
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/l"}},
                "$defs": {"l": {"type": "array", "items": {"$ref": "#/$defs/l"}, "minItems": 1}},
            },
            "refers",
        ),
    ],
)
def test_a_schema_that_leads_nowhere_is_refused_before_the_answer(schema: Any, message: str) -> None:
    model, _ = loaded()
    with pytest.raises(InvalidRequest, match=message) as refusal:
        grammar_of(model, asking({"type": "object", **schema}))
    assert refusal.value.param == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": NAMED, "patternProperties": {"^(a|b|c)$": {"type": "integer"}}},
        {"patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        {"properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"]},
        {"properties": {"below": {"type": "array", "items": {"$ref": "#"}}}, "required": ["below"]},
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_a_schema_that_only_looks_so_is_followed_to_its_end(schema: Any, seed: int) -> None:
    model, tokenizer = loaded()
    grammar = grammar_of(model, asking({"type": "object", "additionalProperties": False, **schema}))
    matcher, next_draw = grammar.start(), random.Random(seed)  # noqa: S311
    answer: list[int] = []
    while len(answer) < 120 and not matcher.failure:
        allowed = matcher.allowed_tokens(model.vocab_size)
        assert allowed is not None
        answer.append(next_draw.choice(allowed.nonzero()[0].tolist()))
        if answer[-1] in model.stop_ids:
            json.loads(tokenizer.decode(answer[:-1]))
            return
        matcher.consume(answer[-1])
    assert not matcher.failure


@pytest.mark.parametrize(
    "node",
    [
        lambda deeper: deeper,
        lambda deeper: {"type": "object", "properties": {"x": deeper}},
        lambda deeper: {"allOf": [{"anyOf": [{"type": "array", "items": deeper}, {"type": "null"}]}]},
    ],
)
@pytest.mark.parametrize("length", [50, 900])
def test_references_too_deep_to_be_compiled_are_refused(node: Any, length: int) -> None:
    """llguidance's own stack overflows over them, and the process of all requests is gone."""
    chain = {f"a{i}": node({"$ref": f"#/$defs/a{i + 1}"}) for i in range(length)}
    definitions = {**chain, f"a{length}": {"type": "string"}}
    schema = {"type": "object", "properties": {"p": {"$ref": "#/$defs/a0"}}, "$defs": definitions}
    model, _ = loaded()
    if length < 100:
        grammar_of(model, asking(schema))  # it is not refused
        return
    with pytest.raises(InvalidRequest, match="too complex"):
        grammar_of(model, asking(schema))
    for family in (test_gemma.FAMILIES["gemma4"], test_qwen.FAMILIES["coder"]):
        model, _ = around(*family)
        tool = Tool(name="find", parameters=json.dumps(schema))
        with pytest.raises(InvalidRequest, match="too complex") as refusal:
            grammar_of(model, asking(tools=(tool,), must_call=("find",)))
        assert refusal.value.param == "tools.0.function.parameters"
