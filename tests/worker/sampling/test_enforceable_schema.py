"""Schemas as other people's libraries write them: enforced in other words, or as far as they can be."""

import json
import random
import re
from typing import Any

import pytest

from inference.core.errors import InvalidRequest
from inference.core.requests import ChatRequest, CompletionRequest, Tool
from inference.worker.sampling import enforceable_schema as ours
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from tests.worker.sampling.test_grammar import asking, drawn, loaded

pytestmark = pytest.mark.mlx
EMAIL = next(iter(ours.PUBLISHED))
NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}


def holding(member: Any, **keywords: Any) -> dict[str, Any]:
    """An object with one member, as a class with one field becomes."""
    return {"type": "object", "properties": {"a": member}, "required": ["a"], **keywords}


def accepts(schema: Any, value: Any, *, is_strict: bool = True) -> bool:
    """Whether the grammar that is compiled for this schema allows the value, written as JSON."""
    model, tokenizer = loaded()
    request = asking(schema, has_strict_schema=is_strict)
    grammar = GrammarCompiler(model).of(request, model.adapter.render(request))
    assert grammar
    tokens = tokenizer.encode(json.dumps(value))
    matcher = grammar.matcher.deep_copy()
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        # z.record(z.string(), z.number()) of Zod 4
        ({**NUMBERS, "propertyNames": {"type": "string"}}, {"x": 1}, {"x": "1"}),
        # dict[Literal["x", "y"], int] of Pydantic, and z.record(z.enum(...))
        ({**NUMBERS, "propertyNames": {"enum": ["x", "y"]}}, {"y": 1}, {"z": 1}),
        ({**NUMBERS, "propertyNames": {"const": "x"}}, {"x": 1}, {"y": 1}),
        ({**NUMBERS, "propertyNames": {"pattern": "^x_[a-z]$"}}, {"x_a": 1}, {"y_a": 1}),
        (
            {"$defs": {"Key": {"enum": ["x"]}}, **NUMBERS, "propertyNames": {"$ref": "#/$defs/Key"}},
            {"x": 1},
            {"y": 1},
        ),
        ({"type": "object", "properties": {"b": {"not": {}}, "c": {"type": "null"}}}, {"c": None}, {"b": 1}),
        (holding({"type": "string"}, additionalProperties={"not": {}}), {"a": "x"}, {"a": "x", "b": 1}),
        (holding({"type": "string"}, unevaluatedProperties=False), {"a": "x"}, {"a": "x", "b": 1}),
        (
            holding({"type": "array", "items": {"type": "null"}, "uniqueItems": False}),
            {"a": [None]},
            {"a": 1},
        ),
        (holding({"type": "string"}, **{"if": {"required": ["a"]}}), {"a": "x"}, {"a": 1}),
        (holding({"type": "string", "format": None, "enum": None}), {"a": "x"}, {"a": 1}),
        (holding({"type": "string", "pattern": EMAIL}), {"a": "b.c@d.org"}, {"a": ".b@d.org"}),
    ],
)
def test_what_can_be_said_in_other_words_is_enforced_as_a_whole(schema: Any, good: Any, bad: Any) -> None:
    assert not ours.enforceable_schema(json.dumps(schema), is_strict=True).is_partial
    assert accepts(schema, good)
    assert not accepts(schema, bad)


@pytest.mark.parametrize("pattern", ours.PUBLISHED)
def test_the_other_words_for_a_published_pattern_match_the_same_texts(pattern: str) -> None:
    draw = random.Random(1)  # noqa: S311
    alphabet = "ab1.@-+_'" if "@" in pattern else "012.+-"
    examples = ["a.b@c.de", "a..b@c.de", "a@b.co", "'a@b.co", "1.5", "-", "+.", ".5", "5.", "-0012.50", ""]
    examples += ["".join(draw.choices(alphabet, k=draw.randint(1, 9))) for _ in range(20_000)]
    both = [(re.search(pattern, text), re.search(ours.PUBLISHED[pattern], text)) for text in examples]
    assert all(bool(first) == bool(second) for first, second in both)
    assert any(first for first, _ in both)


PARTIAL = [
    ({"type": "array", "items": {"type": "null"}, "uniqueItems": True}, [None], 1),  # set[...] of Pydantic
    ({"type": "string", "pattern": "^(?=x)x+$"}, "x", 1),
    ({"type": "string", "pattern": r"\bword\b"}, "word", 1),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1, "x"),
    (
        {
            "anyOf": [{"type": "integer"}, {"type": "null"}],
            "oneOf": [{"type": "integer"}, {"type": "number"}],
        },
        1,
        None,
    ),
    ({"type": "string", "not": {"const": "x"}}, "y", 1),
    ({"type": "object", "properties": {"x": {}, "y": {}}, "minProperties": 1}, {"x": 1}, 1),
    ({"type": "array", "contains": {"type": "string"}, "minContains": 2}, ["x"], 1),
    ({"type": "string", "if": {"minLength": 2}, "then": {"maxLength": 3}}, "x", 1),
    ({"type": "any"}, 1, None),
    ({"type": "object", "patternProperties": {"^(?!x)": {"type": "null"}}}, {"y": 1}, 1),
]


@pytest.mark.parametrize(("member", "good", "bad"), PARTIAL)
def test_what_is_not_strict_is_enforced_as_far_as_it_can_be(member: Any, good: Any, bad: Any) -> None:
    schema = holding(member)
    assert ours.enforceable_schema(json.dumps(schema), is_strict=False).is_partial
    assert accepts(schema, {"a": good}, is_strict=False)
    if bad is not None:
        assert not accepts(schema, {"a": bad}, is_strict=False)


@pytest.mark.parametrize(
    "member",
    [
        {"type": "objekt"},
        {"$ref": "https://example.com/schema.json"},
        {"type": "string", "pattern": "("},
        {"type": "object", "patternProperties": {"[": {"type": "null"}}},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"enum": []},
    ],
)
def test_a_mistake_is_refused_however_strict_it_is(member: Any) -> None:
    model, _ = loaded()
    with pytest.raises(InvalidRequest):
        GrammarCompiler(model).of(asking(holding(member)), ())


@pytest.mark.parametrize("member", [member for member, _, _ in PARTIAL])
def test_a_strict_one_is_refused(member: Any) -> None:
    model, _ = loaded()
    with pytest.raises(InvalidRequest):
        GrammarCompiler(model).of(asking(holding(member), has_strict_schema=True), ())


@pytest.mark.parametrize("form", ["binary", "password", "file-path", "uri-reference", "colour"])
def test_a_format_that_is_not_known_describes_and_does_not_restrict(form: str) -> None:
    schema = holding({"type": "string", "format": form, "minLength": 2})
    assert accepts(schema, {"a": "xy"})
    assert not accepts(schema, {"a": "x"})  # the rest is enforced
    assert fields_of(asking(schema, has_strict_schema=True)) == ("response_format.json_schema.schema",)


def fields_of(request: ChatRequest | CompletionRequest) -> tuple[str, ...]:
    model, _ = loaded()
    return GrammarCompiler(model).best_effort(request)


def test_what_is_too_large_or_too_deep_is_not_looked_into() -> None:
    chained: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(5000)}
    deep = {"$ref": "#/$defs/d0", "$defs": {**chained, "d5000": {"type": "array", "uniqueItems": True}}}
    for schema in (deep, {"enum": ["x" * ours.MOST_BYTES], "uniqueItems": True}):
        text = json.dumps(schema)
        assert ours.enforceable_schema(text, is_strict=False) == (text, False)
        model, _ = loaded()
        with pytest.raises(InvalidRequest):
            GrammarCompiler(model).of(asking(schema), ())


def test_the_fields_that_are_enforced_in_part_are_named() -> None:
    odd = json.dumps(holding({"type": "array", "uniqueItems": True}))
    tools = (Tool(name="plain"), Tool(name="odd", parameters=odd))
    assert fields_of(asking(json.loads(odd))) == ("response_format.json_schema.schema",)
    assert fields_of(asking(tools=tools, must_call=("plain", "odd"))) == ("tools.1.function.parameters",)
    assert fields_of(asking(tools=tools, must_call=("plain",))) == ()
    assert fields_of(asking(tools=tools)) == ()  # nothing is enforced, as before
    raw = CompletionRequest(model="m", prompts=("x",), schema=odd)
    assert fields_of(raw) == ("response_format.json_schema.schema",)


def test_the_arguments_of_a_call_follow_what_can_be_enforced() -> None:
    member = {"type": "array", "items": {"enum": ["x"]}, "uniqueItems": True, "minItems": 1, "maxItems": 2}
    odd = Tool(name="odd", parameters=json.dumps(holding(member, additionalProperties=False)))
    model, tokenizer = loaded()
    request = asking(tools=(odd,), must_call=("odd",), may_call_several=False)
    grammar = GrammarCompiler(model).of(request, ())
    assert grammar
    assert '"a": ["x"' in tokenizer.decode(drawn(model, grammar, seed=1))
