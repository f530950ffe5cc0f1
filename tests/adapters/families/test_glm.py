"""No package has GLM's tokenizer: its control tokens are here, and its templates as published."""

import json

import llguidance
import llguidance.hf
import pytest

from inference.adapters import Adapter
from inference.adapters.families.glm import GlmCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, Tool, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import ADD, NOW, chat_request, stops
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

TOKENS = (
    *("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
)
FAMILIES = {
    "4.6": family("glm4_moe", published("glm_4_6"), TOKENS, eos="<|endoftext|>"),
    "4.7": family("glm4_moe_lite", published("glm_4_7"), TOKENS, eos="<|endoftext|>"),
}
CALL = ToolCall(id="c1", name="add", arguments='{"a": 41}')
CALLED = Message(role="assistant", content="Let me see.", tool_calls=(CALL,))
RESULT = Message(role="tool", content="five", tool_call_id="c1")
SYSTEM = Message(role="system", content="Be brief.")
CITY = Tool(name="city", parameters='{"properties": {"place": {"type": "string"}}, "required": ["place"]}')


def speaking(name: str) -> tuple[Adapter, HubTokenizer]:
    return FAMILIES[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_it_ends_where_the_next_one_speaks_and_is_all_right(name: str) -> None:
    adapter, tokenizer = speaking(name)
    assert adapter.name == "glm"
    assert stops(adapter, tokenizer) == {"<|user|>", "<|observation|>", "<|endoftext|>"}
    assert findings(adapter, tokenizer) == ()


def test_glm_4_has_calls_that_are_not_read_so_it_is_given_no_tools() -> None:
    template = "[gMASK]<sop>{{ tools }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    adapter, _ = family("glm4", template + "{# <|observation|> #}", TOKENS)
    assert (adapter.name, adapter.call_format) == ("glm", None)
    assert "syntax that cannot be parsed" in adapter.tools_problem


@pytest.mark.parametrize("name", FAMILIES)
def test_the_system_the_tools_and_what_they_answered_are_rendered(name: str) -> None:
    text = prompt_text(*speaking(name), SYSTEM, QUESTION, CALLED, RESULT, tools=(ADD,))
    places = [text.index(word) for word in ('"add"', "Be brief.", "2 and 3?", "Let me see.", "41", "five")]
    assert places == sorted(places)


@each(
    ("name", "thinks", "end"),
    [
        ("4.6", True, "<|assistant|>"),
        ("4.6", False, "<|assistant|>\n<think></think>"),
        ("4.7", True, "<|assistant|><think>"),
        ("4.7", False, "<|assistant|></think>"),
    ],
)
def test_thinking_is_switched(name: str, thinks: bool, end: str) -> None:
    adapter, tokenizer = speaking(name)
    prompt = adapter.render(chat_request(QUESTION, template_options=(("enable_thinking", thinks),)))
    thinking = adapter.reasoning_state(prompt)
    assert tokenizer.decode(prompt).endswith(end)
    assert thinking and thinking.is_closed is not thinks


def call(name: str, *, joint: str = "\n", **arguments: object) -> str:
    output = [
        f"<arg_key>{key}</arg_key>{joint}"
        f"<arg_value>{value if isinstance(value, str) else json.dumps(value)}</arg_value>{joint}"
        for key, value in arguments.items()
    ]
    return f"<tool_call>{name}{joint}{''.join(output)}</tool_call>"


ONE = (("add", '{"a": 1}'),)
TWO = (*ONE, ("now", "{}"))


@each(
    ("name", "output", "expected"),
    [
        ("4.6", "\n<think>2+3=5</think>\nIt is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("4.6", f"<think>add</think>\n{call('add', a=1)}", ParsedAnswer(reasoning="add", calls=ONE)),
        ("4.6", f"See.\n{call('add', a=1)}\n{call('now')}", ParsedAnswer("See.", calls=TWO)),
        ("4.6", call("sub", a=1), ParsedAnswer(call("sub", a=1))),
        (
            "4.6",
            call("add", a=1).removesuffix("</tool_call>"),
            ParsedAnswer(call("add", a=1)[: -len("</tool_call>")]),
        ),
        (
            "4.6",
            "<tool_call>add\n<arg_key>a</arg_key></tool_call>",
            ParsedAnswer("<tool_call>add\n<arg_key>a</arg_key></tool_call>"),
        ),
        (
            "4.7",
            f"add</think>{call('add', joint='', a=1)}{call('now', joint='')}",
            ParsedAnswer(reasoning="add", calls=TWO),
        ),
        ("4.7", "2+3=5</think>It is 5.", ParsedAnswer("It is 5.", "2+3=5")),
        ("4.7", "It never ends", ParsedAnswer(reasoning="It never ends")),
    ],
)
def test_what_it_says_is_heard(name: str, output: str, expected: ParsedAnswer) -> None:
    adapter, tokenizer = speaking(name)
    assert parse_answer(adapter, tokenizer, output + "<|user|>") == expected
    assert parse_every_split(adapter, output, (ADD, NOW)) == {expected}


def test_the_line_break_before_its_thoughts_is_no_text() -> None:
    reader = speaking("4.6")[0].reader([0], chat_request(QUESTION))
    assert reader.feed("\n") == reader.feed("<think>\n") == []
    assert [piece.channel for piece in reader.feed("hm")] == ["reasoning"]


def test_a_line_break_before_an_answer_without_thoughts_is_text() -> None:
    adapter, tokenizer = speaking("4.6")
    assert parse_answer(adapter, tokenizer, "\nIt is 5.") == ParsedAnswer("\nIt is 5.")


WHERE = Tool(
    name="where",
    parameters='{"properties": {"place": {"type": "string"}, "days": {"type": "integer"}}}',
)


@each(
    ("output", "arguments"),
    [
        # https://github.com/vllm-project/vllm/issues/49248
        ("<arg_key>place</arg_key>vacation days left</arg_value>", {"place": "vacation days left"}),
        (
            "<arg_key>place</arg_key>\nRome</arg_value>\n<arg_key>days</arg_key>2</arg_value>",
            {"place": "Rome", "days": 2},
        ),
        # https://github.com/ollama/ollama/pull/14656
        ("<arg_key>place</arg_key><arg_value>Rome", {"place": "Rome"}),
        ("<arg_key>place</arg_key>\n<arg_value>Rome\n", {"place": "Rome"}),
        (
            "<arg_key>days</arg_key><arg_value>2<arg_key>place</arg_key><arg_value>Rome</arg_value>",
            {"days": 2, "place": "Rome"},
        ),
        (
            "<arg_key>place</arg_key><arg_value>Rome\n<arg_key>days</arg_key><arg_value>2</arg_value>",
            {"place": "Rome", "days": 2},
        ),
        (
            "<arg_key>place</arg_key><arg_value>Rome</arg_value><arg_key>days</arg_key><arg_value>2",
            {"place": "Rome", "days": 2},
        ),
        # https://github.com/vllm-project/vllm/pull/54971
        ("<arg_key>place</arg_key></arg_key><arg_value>Rome</arg_value>", {"place": "Rome"}),
        ("<arg_key><arg_key>place</arg_key><arg_value>Rome</arg_value>", {"place": "Rome"}),
    ],
)
def test_a_tag_that_is_forgotten_or_repeated_is_mended(output: str, arguments: dict[str, object]) -> None:
    adapter, tokenizer = speaking("4.6")
    whole = f"<tool_call>where\n{output}</tool_call>"
    expected = ParsedAnswer(calls=(("where", json.dumps(arguments)),))
    assert parse_answer(adapter, tokenizer, whole, (WHERE, NOW)) == expected
    assert parse_every_split(adapter, whole, (WHERE, NOW)) == {expected}


@each(
    "output",
    [
        "<tool_call>where<arg_key>place</arg_key></tool_call>",
        "<tool_call>where<arg_key>place<arg_value>Rome</arg_value></tool_call>",
        "<tool_call>where<arg_key>place</arg_key><arg_value>Rome</tool_call> and more",
        "<tool_call>where<arg_key>place</arg_key><arg_value>Rome",
    ],
)
def test_where_more_than_that_is_missing_it_is_text(output: str) -> None:
    adapter, tokenizer = speaking("4.6")
    assert parse_answer(adapter, tokenizer, output, (WHERE,)) == ParsedAnswer(output)
    assert parse_every_split(adapter, output, (WHERE,)) == {ParsedAnswer(output)}


def test_a_call_behind_one_that_was_never_closed_is_heard() -> None:
    adapter, tokenizer = speaking("4.6")
    first = "<tool_call>where<arg_key>place</arg_key><arg_value>Rome</tool_call>"
    output = f"{first}\n{call('now')}"
    expected = ParsedAnswer(calls=(("where", '{"place": "Rome"}'), ("now", "{}")))
    assert parse_answer(adapter, tokenizer, output, (WHERE, NOW)) == expected
    assert parse_every_split(adapter, output, (WHERE, NOW)) == {expected}


@each("second", [call("add", a=2), call("where", days=2), call("where", place="Oslo")])
def test_the_arguments_of_another_call_are_never_those_of_one_that_was_not_closed(second: str) -> None:
    adapter, tokenizer = speaking("4.6")
    first = "<tool_call>where<arg_key>place</arg_key><arg_value>Rome</tool_call>"
    output = f"{first}\n{second}"
    found = parse_answer(adapter, tokenizer, output, (WHERE, ADD))
    assert found.text == first and len(found.calls) == 1
    assert parse_every_split(adapter, output, (WHERE, ADD)) == {found}


@each("value", ["a </tool_call> b", "</tool_call>\n<tool_call>", "</arg_value> and", "<tool_call>now"])
def test_a_value_may_hold_a_mark(value: str) -> None:
    adapter, tokenizer = speaking("4.6")
    output = call("city", place=value)
    expected = ParsedAnswer(calls=(("city", json.dumps({"place": value})),))
    assert parse_answer(adapter, tokenizer, output, (CITY,)) == expected
    assert parse_every_split(adapter, output, (CITY,)) == {expected}


@each("value", ["5", " Rome\n", "<b>&</b>", "<arg_key>", ""])
def test_a_string_is_read_as_it_stands(value: str) -> None:
    adapter, tokenizer = speaking("4.6")
    expected = (("city", json.dumps({"place": value})),)
    assert parse_answer(adapter, tokenizer, call("city", place=value), (CITY,)).calls == expected


def is_allowed(output: str, *, several: bool = True) -> bool:
    _, tokenizer = speaking("4.6")
    grammar = GlmCalls(tokenizer).lark([ADD, NOW, CITY], several)
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@pytest.mark.parametrize("joint", ["", "\n"])
@pytest.mark.parametrize(
    ("name", "arguments"), [("add", {"a": 1}), ("now", {}), ("city", {"place": "<b>\nRome"})]
)
def test_calls_follow_the_grammar_with_line_breaks_and_without(
    joint: str, name: str, arguments: dict[str, object]
) -> None:
    assert is_allowed(call(name, joint=joint, **arguments), several=False)
    assert is_allowed(joint.join([call(name, joint=joint, **arguments)] * 2))


@each("output", ["Hello", call("add"), call("add", a="one"), call("sub"), call("now", a=1), ""])
def test_anything_else_does_not(output: str) -> None:
    assert not is_allowed(output)


def test_only_one_call_where_only_one_is_wanted() -> None:
    assert not is_allowed(f"{call('now')}\n{call('now')}", several=False)
