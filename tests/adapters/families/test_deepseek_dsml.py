"""DeepSeek V3.2 and V4 in short: calls in tags, with and without the token that stands in them."""

import json

import llguidance
import llguidance.hf
import pytest

from inference.adapters.self_test import findings
from inference.core.requests import Message, Tool, ToolCall
from tests.adapters.family_models import ADD, NOW, stops
from tests.adapters.hearing import ASKED, Heard, family, heard, heard_in_every_split, written
from tests.adapters.published import published

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
    said = [
        f'<｜DSML｜parameter name="{key}" string="{str(isinstance(value, str)).lower()}">'
        f"{value if isinstance(value, str) else json.dumps(value)}</｜DSML｜parameter>\n"
        for key, value in arguments.items()
    ]
    return f'<｜DSML｜invoke name="{tool}">\n' + "".join(said) + "</｜DSML｜invoke>\n"


def section(*invokes: str, word: str = "function_calls") -> str:
    return f"<｜DSML｜{word}>\n{''.join(invokes)}</｜DSML｜{word}>"


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_known_ends_and_is_all_right(name: str) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert (adapter.name, stops(adapter, tokenizer)) == ("deepseek_dsml", {"<｜end▁of▁sentence｜>"})
    assert findings(adapter, tokenizer) == ()


def test_the_history_is_rendered() -> None:
    text = written(*FAMILIES["v3_2"], SYSTEM, ASKED, CALLED, RESULT, tools=(ADD,))
    assert f"Let me see.\n\n{section(invoke('add', a=41))}<｜end▁of▁sentence｜>\n\n<function_results>" in text


CALLS = section(invoke("add", a=1), invoke("now"))


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("v3_2", "It is 5.", Heard("It is 5.")),
        ("v3_2", f"See.\n\n{CALLS}", Heard("See.", calls=TWO)),
        ("v3_2", section(invoke("add", a="1")), Heard(calls=(("add", '{"a": "1"}'),))),
        ("v3_2", section(invoke("sub")), Heard(section(invoke("sub")))),
        ("v3_2", CALLS[:60], Heard(CALLS[:60])),
        ("v4", section(invoke("add", a=1), invoke("now"), word="tool_calls"), Heard(calls=TWO)),
        ("spelled", CALLS, Heard(calls=TWO)),
    ],
)
def test_what_it_says_is_heard(name: str, said: str, expected: Heard) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert heard(adapter, tokenizer, said + "<｜end▁of▁sentence｜>") == expected
    assert heard_in_every_split(adapter, said, (ADD, NOW)) == {expected}


@pytest.mark.parametrize("name", ["v3_2", "spelled"])
@pytest.mark.parametrize(
    ("said", "is_right"),
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
def test_calls_follow_the_grammar(name: str, said: str, is_right: bool) -> None:
    adapter, tokenizer = FAMILIES[name]
    assert adapter.call_format
    grammar = adapter.call_format.lark([ADD, NOW, CITY], True)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(said)
    assert (matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()) is is_right
