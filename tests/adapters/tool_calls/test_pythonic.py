"""Calls in Python: read without running anything, and held to their schemas when they are required."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.families.olmo import OlmoCalls
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.pythonic import Pythonic
from inference.adapters.tool_calls.tool_formats import FORMATS, detect_format
from inference.core.requests import Tool
from tests.adapters.family_models import ADD, NOW
from tests.adapters.parsed_answers import family, follows_grammar
from tests.each import each

PLACE = Tool(
    name="get-place",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {"city": {"$ref": "#/$defs/city"}, "days": {"type": "integer"}, "x": {}},
            "required": ["city"],
            "$defs": {"city": {"type": "string"}},
        }
    ),
)
TOKENS = ("<|im_end|>", "<|tool_call_start|>", "<|tool_call_end|>")
ADAPTER, TOKENIZER = family("lfm2", "<|tool_call_start|>", TOKENS)
VALUES = st.recursive(
    st.text("ab\"'\\[](){},=\n é", max_size=6) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)


def parsed(body: str) -> list[tuple[str, Any]]:
    tools = {tool.name: tool for tool in (ADD, NOW, PLACE)}
    return [(name, json.loads(output)) for name, output in Pythonic(TOKENIZER).parse(body, tools)]


@given(st.dictionaries(st.sampled_from(["a", "b", "key_1"]), VALUES), st.sampled_from([repr, json.dumps]))
@settings(deadline=None)
def test_values_of_python_and_of_json_are_read_back(arguments: dict[str, Any], write: Any) -> None:
    output = ", ".join(f"{key}={write(value)}" for key, value in arguments.items())
    assert parsed(f"[add({output}), now()]") == [("add", arguments), ("now", {})]


@given(st.text("add(now)[]=,'\"a1-\n\\{}", max_size=24))
@settings(deadline=None)
def test_nonsense_is_no_failure(body: str) -> None:
    assert all(isinstance(arguments, dict) for _, arguments in parsed(body))


@each(
    ("body", "calls"),
    [
        ("add(a=1)", [("add", {"a": 1})]),
        (" [add(a=-1)]\n", [("add", {"a": -1})]),
        ("[math.add(a=1)]", [("math.add", {"a": 1})]),
        ('[get-place(city="get-place(-)")]', [("get-place", {"city": "get-place(-)"})]),
        ("[add(a=True), add(a=true)]", [("add", {"a": True}), ("add", {"a": True})]),
        (r"[add(a='\d\n')]", [("add", {"a": "\\d\n"})]),
        ("[add(1)]", []),
        ("[add(**{})]", []),
        ("[add(a=open('x'))]", []),
        ("[add(a=b)]", []),
        ("[add(a=1e999)]", [("add", {"a": math.inf})]),
        ("[add(a={1})]", []),
        ("[add(a=b'x')]", []),
        ("[add(a=-'x')]", []),
        ("[add(a={1: 2})]", []),
        ("[add(a={**{}})]", []),
        ("[add(a=1+1)]", []),
        ("[add(a=f'{x}')]", []),
        ("[add(a=(1, +2.5))]", [("add", {"a": [1, 2.5]})]),
        ("[add(a=1), 2]", []),
        ("[]", []),
        ("", []),
        ("[add(a=" + "[" * 9000, []),
        ("[add(a=" + "-" * 90000 + "1)]", []),
    ],
)
def test_calls_are_read_and_nothing_else_is(body: str, calls: list[tuple[str, Any]]) -> None:
    assert parsed(body) == calls


@each("name", ["from", "class", "None", "true", "my-param", "a.b", "1st", "ключ", "x" * 64])
def test_a_name_may_be_anything_that_a_tool_has(name: str) -> None:
    """Python's keywords among them (https://github.com/vllm-project/vllm/issues/48171)."""
    schema = {"properties": {name: {"type": "string"}}, "required": [name], "additionalProperties": False}
    tool = Tool(name=name, parameters=json.dumps(schema))
    output = f'[{name}({name}="a"), {name}({name}="b")]'
    marked = f"<|tool_call_start|>{output}<|tool_call_end|>"
    assert parsed(output) == [(name, {name: "a"}), (name, {name: "b"})]
    assert follows_grammar(TOKENIZER, Pythonic, marked, tools=(tool,))
    calls = tuple((name, json.dumps({name: value}, ensure_ascii=False)) for value in "ab")
    reader = CallReader(Pythonic(TOKENIZER), {name: tool})
    assert [piece.name for piece in ChannelReader(calls=reader).feed(marked) if piece.name] == [name, name]
    assert [(called, output) for called, output in Pythonic(TOKENIZER).parse(output, {})] == list(calls)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r'"a\/b"', "a/b"),
        ('"\u2028\x85"', "\u2028\x85"),
        ('"two\nlines"', "two\nlines"),
        ("'''it's'''", "it's"),
        (r"r'\d'", "\\d"),
        ("'a' 'b'", "ab"),
        (r"'\x41\N{BULLET}\101'", "A\u2022A"),
        ('"</function_calls><|tool_call_end|>)]"', "</function_calls><|tool_call_end|>)]"),
        ("0x10", 16),
        ("1_000", 1000),
        ("(1,)", [1]),
        ("(1)", 1),
        ("{'a': [None, false]}", {"a": [None, False]}),
    ],
)
@pytest.mark.parametrize("format_of", [Pythonic, OlmoCalls])
def test_a_value_is_what_python_or_json_means_by_it(
    format_of: type[Pythonic], value: str, expected: Any
) -> None:
    ((name, output),) = format_of(TOKENIZER).parse(f"add(a={value})", {"add": ADD})
    assert (name, json.loads(output)) == ("add", {"a": expected})


@each(
    "body",
    [
        "[add(a=1, a=2)]",
        "[add(a=007)]",
        "[add(a=b'x')]",
        "[add(a='x)]",
        "[add(a==1)]",
        "[add(=1)]",
        "[add(a=1)",
    ],
)
def test_what_cannot_be_read_for_certain_is_no_call(body: str) -> None:
    assert parsed(body) == []


def test_a_string_may_hold_what_ends_the_calls() -> None:
    body = '[add(a="x <|tool_call_end|> y")]'
    assert Pythonic(TOKENIZER).can_continue(body[: body.index("<|tool_call_end|>")], {"add": ADD})
    assert not Pythonic(TOKENIZER).can_continue("[add(a=1", {"add": ADD})


def test_a_parameter_that_cannot_be_written_is_left_out_or_refused() -> None:
    named: dict[str, Any] = {"two words": {}, "c": {}}
    optional = Tool(name="find", parameters=json.dumps({"properties": named}))
    assert '"c="' in Pythonic(TOKENIZER).lark([optional], several=False)
    required = Tool(name="find", parameters=json.dumps({"properties": named, "required": ["two words"]}))
    with pytest.raises(Unwritable, match="cannot be written"):
        Pythonic(TOKENIZER).lark([required], several=False)


@each(
    ("body", "may"),
    [
        ("", True),
        (" [", True),
        ("[ad", True),
        ("[get-place(", True),
        ('[add(a="', True),
        ("[1] ", False),
        ("[a] ", False),
        ("[[", False),
        ("Hi", False),
    ],
)
def test_what_cannot_become_a_call_is_known_early(body: str, may: bool) -> None:
    assert Pythonic(TOKENIZER).can_become(body) == may


@each(
    ("output", "allowed"),
    [
        ("[add(a=1), now()]", True),
        ("[now()]", True),
        ("[add()]", False),
        ("[add(a=one)]", False),
        ("[add(a=1, b=2)]", False),
        ("[sub(a=1)]", False),
        ("[]", False),
    ],
)
def test_the_grammar_allows_what_its_tools_take(output: str, allowed: bool) -> None:
    assert follows_grammar(TOKENIZER, Pythonic, f"<|tool_call_start|>{output}<|tool_call_end|>") == allowed


def test_only_one_call_where_only_one_is_wanted() -> None:
    output = "<|tool_call_start|>[now(), now()]<|tool_call_end|>"
    assert follows_grammar(TOKENIZER, Pythonic, output)
    assert not follows_grammar(TOKENIZER, Pythonic, output, several=False)


@each(
    ("output", "allowed"),
    [
        ('get-place(city="Rome")', True),
        ('get-place(city="Rome", days=3, x=[true])', True),
        ('get-place(city="Rome", x={"a": null})', True),
        ("get-place(city=3)", False),
        ("get-place(days=3)", False),
        ('get-place(days=3, city="Rome")', False),
    ],
)
def test_arguments_follow_their_schemas_in_its_order(output: str, allowed: bool) -> None:
    text = f"<|tool_call_start|>[{output}]<|tool_call_end|>"
    assert follows_grammar(TOKENIZER, Pythonic, text, tools=(PLACE,)) == allowed
    assert not allowed or parsed(output)[0][1]["city"] == "Rome"


def test_a_template_with_its_marks_selects_the_format() -> None:
    assert detect_format("... <|tool_call_start|> ...", (*FORMATS, Pythonic)) is Pythonic
    assert type(ADAPTER.call_format) is Pythonic or ADAPTER.prompts_tools
