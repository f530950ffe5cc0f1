"""DeepSeek V3.2 and V4 in short: calls in tags, with and without the token that stands in them."""

import json

import llguidance
import llguidance.hf
import pytest

from inference.adapters.self_test import findings
from inference.core.requests import Message, Tool, ToolCall
from tests.adapters.family_models import ADD, NOW, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.adapters.published_templates import published
from tests.each import each

DSML_TOKENS = (
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<think>",
    "</think>",
    "｜DSML｜",
)
FAMILIES = {
    "v3_2": family("deepseek_v32", published("deepseek_v3_2"), DSML_TOKENS),
    "v4": family("deepseek_v4", published("deepseek_v4"), DSML_TOKENS),
    "spelled": family(
        "deepseek_v32", published("deepseek_v3_2"), DSML_TOKENS[:-1]
    ),  # a vocabulary without the mark
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
SYSTEM = Message(role="system", content="Be brief.")
TWO = (("add", '{"a": 1}'), ("now", "{}"))
CITY = Tool(
    name="city",
    parameters='{"properties":{"place":{"type":"string"},"at":{"type":"array"}},"required":["place"]}',
)


def invoke(tool: str, **arguments: object) -> str:
    output = [
        f'<｜DSML｜parameter name="{key}" string="{str(isinstance(value, str)).lower()}">'
        f"{value if isinstance(value, str) else json.dumps(value)}</｜DSML｜parameter>\n"
        for key, value in arguments.items()
    ]
    return f'<｜DSML｜invoke name="{tool}">\n' + "".join(output) + "</｜DSML｜invoke>\n"


def section(*invokes: str, word: str = "function_calls") -> str:
    return f"<｜DSML｜{word}>\n{''.join(invokes)}</｜DSML｜{word}>"


@each("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert (adapter.name, stops(adapter, tokenizer)) == ("deepseek_dsml", {"<｜end▁of▁sentence｜>"})
    assert findings(adapter, tokenizer) == ()


def test_the_history_is_rendered() -> None:
    text = prompt_text(*FAMILIES["v3_2"], SYSTEM, QUESTION, CALLED, RESULT, tools=(ADD,))
    assert f"Let me see.\n\n{section(invoke('add', a=41))}<｜end▁of▁sentence｜>\n\n<function_results>" in text


CALLS = section(invoke("add", a=1), invoke("now"))


@each(
    ("name", "output", "expected"),
    [
        ("v3_2", "It is 5.", ParsedAnswer("It is 5.")),
        ("v3_2", f"See.\n\n{CALLS}", ParsedAnswer("See.", calls=TWO)),
        ("v3_2", section(invoke("add", a="1")), ParsedAnswer(calls=(("add", '{"a": "1"}'),))),
        ("v3_2", section(invoke("sub")), ParsedAnswer(section(invoke("sub")))),
        ("v3_2", CALLS[:60], ParsedAnswer(CALLS[:60])),
        ("v4", section(invoke("add", a=1), invoke("now"), word="tool_calls"), ParsedAnswer(calls=TWO)),
        ("spelled", CALLS, ParsedAnswer(calls=TWO)),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert parse_answer(adapter, tokenizer, output + "<｜end▁of▁sentence｜>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


@pytest.mark.parametrize("name", ["v3_2", "spelled"])
@pytest.mark.parametrize(
    ("output", "is_right"),
    [
        (CALLS, True),
        (section(invoke("city", place="<b>Rome</b>")), True),
        (section(invoke("city", place="", at=[1])), True),
        (section(), False),
        (section(invoke("add", a="1")), False),
        (section(invoke("city", at=[1])), False),
        ("Hello", False),
    ],
)
def test_calls_follow_the_grammar(name: str, output: str, is_right: bool) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert adapter.call_format
    grammar = adapter.call_format.lark([ADD, NOW, CITY], True)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(output)
    assert (matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()) is is_right
