"""Calls within thoughts: one that ends the answer is a call, one that anything follows is a thought."""

# ruff: noqa: E501 - calls have lines of their own

import json
from typing import Any

import pytest

from inference.adapters import Adapter
from inference.adapters.channel_reader import ChannelReader
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.tool_formats import Hermes
from inference.core.requests import Tool
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.text.answer import AnswerText
from tests.adapters.families import (
    test_command_r,
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_granite,
    test_kimi,
    test_minimax,
    test_mistral,
    test_qwen,
)
from tests.adapters.family_models import ADD, NOW, chat_request
from tests.adapters.parsed_answers import QUESTION, ParsedAnswer, parse_answer, parse_every_split, prompt_of
from tests.each import each
from tests.nightly import of_each_kind

_MODULES = (
    *(test_command_r, test_deepseek, test_deepseek_dsml, test_gemma, test_glm, test_granite, test_kimi),
    *(test_minimax, test_mistral, test_qwen),
)
# Each family that thinks, and whose template has its call format.
EVERY: dict[str, tuple[Adapter, HubTokenizer]] = {
    f"{module.__name__.rpartition('test_')[2]} {name}": found
    for module in _MODULES
    for name, found in module.FAMILIES.items()
    if found[0].call_format and found[0].has_template and found[0].reasoning_state(prompt_of(found[0]))
}


def reading(name: str) -> tuple[object, ...]:
    """What its answers are read by."""
    adapter, tokenizer = EVERY[name]
    state = adapter.reasoning_state(prompt_of(adapter))
    assert state and adapter.call_format
    marks = (state.opening, state.closing, *adapter.call_format.marks)
    are_tokens = [tokenizer.id_of(mark) is not None for mark in marks]
    return type(adapter), adapter.call_format.name, state.is_open, *marks, *are_tokens


# In the gate one family of those that are read alike.
FAMILIES = {
    name: EVERY[name] for name in of_each_kind(EVERY, list({reading(name): name for name in EVERY}.values()))
}
ONE = (("add", '{"a": 1}'),)
QWEN = test_qwen.FAMILIES["qwen3"]
CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'


def call(adapter: Adapter) -> str:
    """A call as the family writes it."""
    call_format = adapter.call_format
    assert call_format
    ways = {
        "hermes": CALL,
        "function_xml": "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
        "glm": "<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
        "gemma4": "<|tool_call>call:add{a:1}<tool_call|>",
        "mistral_args": '[TOOL_CALLS]add[ARGS]{"a": 1}',
        "mistral_list": '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}]',
        "granite": '<|tool_call|>[{"name": "add", "arguments": {"a": 1}}]',
        "command_r": '<|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "add", "parameters": {"a": 1}}\n]<|END_ACTION|>',
        "minimax": '<minimax:tool_call>\n<invoke name="add">\n<parameter name="a">1</parameter>\n</invoke>\n</minimax:tool_call>',
        "deepseek": '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        "deepseek_fenced": '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{"a": 1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        "kimi": '<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|><|tool_calls_section_end|>',
    }
    if call_format.name.startswith("deepseek_dsml"):
        inside = '<｜DSML｜parameter name="a" string="false">1</｜DSML｜parameter>'
        return f'{call_format.begin}\n<｜DSML｜invoke name="add">\n{inside}\n</｜DSML｜invoke>\n{call_format.end}'
    return ways[call_format.name]


def thinking(adapter: Adapter) -> tuple[str, str]:
    """What opens the thoughts of an answer, where its prompt has not, and what closes them."""
    marks = adapter.reasoning_state(prompt_of(adapter))
    assert marks
    return "" if marks.is_open else marks.opening, marks.closing


def found(name: str, output: str) -> ParsedAnswer:
    """What is heard of it, which is the same token by token and in every split."""
    adapter, tokenizer = FAMILIES[name]
    (answer,) = {parse_answer(adapter, tokenizer, output), *parse_every_split(adapter, output)}
    return answer


@each("name", FAMILIES)
def test_a_call_that_ends_the_answer_ends_the_thoughts(name: str) -> None:
    opening, _ = thinking(FAMILIES[name][0])
    output = f"{opening}Hm.\n\n{call(FAMILIES[name][0])}"
    assert found(name, output) == ParsedAnswer(reasoning="Hm.", calls=ONE) == found(name, f"{output}\n")


@each("name", FAMILIES)
def test_so_do_several(name: str) -> None:
    opening, _ = thinking(FAMILIES[name][0])
    one = call(FAMILIES[name][0])
    assert found(name, f"{opening}Hm.\n{one}\n{one}") == ParsedAnswer(reasoning="Hm.", calls=(*ONE, *ONE))


@each("name", FAMILIES)
def test_thoughts_that_are_closed_with_nothing_behind_have_called_all_the_same(name: str) -> None:
    opening, closing = thinking(FAMILIES[name][0])
    assert found(name, f"{opening}Hm.\n{call(FAMILIES[name][0])}\n{closing}\n\n").calls == ONE


# Their marks are never only thought of, so they call wherever they stand.
ALWAYS = ("kimi", "deepseek r1", "deepseek v3")
MENTIONING = [name for name in FAMILIES if not name.startswith(ALWAYS)]


@each("name", MENTIONING)
def test_a_call_that_is_followed_by_an_answer_is_only_thought_of(name: str) -> None:
    opening, closing = thinking(FAMILIES[name][0])
    one = call(FAMILIES[name][0])
    assert found(name, f"{opening}Say {one}{closing}No.") == ParsedAnswer("No.", reasoning=f"Say {one}")


@each("name", MENTIONING)
def test_a_call_that_is_followed_by_more_thoughts_is_only_thought_of(name: str) -> None:
    opening, closing = thinking(FAMILIES[name][0])
    one = call(FAMILIES[name][0])
    thought = f"Say\n{one} or not."
    assert found(name, f"{opening}{thought}") == ParsedAnswer(reasoning=thought)
    assert found(name, f"{opening}{thought}{closing}No.") == ParsedAnswer("No.", reasoning=thought)
    assert found(name, f"{opening}{thought}\n{one}") == ParsedAnswer(reasoning=thought, calls=ONE)


@each("name", MENTIONING)
def test_a_call_that_is_thought_of_and_then_made_is_made_once(name: str) -> None:
    opening, closing = thinking(FAMILIES[name][0])
    one = call(FAMILIES[name][0])
    assert found(name, f"{opening}Say {one}{closing}\n{one}") == ParsedAnswer(
        reasoning=f"Say {one}", calls=ONE
    )


@each(
    "output",
    [
        CALL.replace("add", "sub"),
        CALL.replace("1}}", "1"),
        '<tool_call>\n{"name": "add", "arguments": {"a": one}}\n</tool_call>',
        CALL[:44],
        "<tool_call>",
        "the tag <tool_call> and </tool_call>",
    ],
)
def test_what_is_no_complete_and_valid_call_is_thought(output: str) -> None:
    adapter, tokenizer = QWEN
    assert parse_answer(adapter, tokenizer, f"<think>Hm. {output}") == ParsedAnswer(reasoning=f"Hm. {output}")
    assert parse_every_split(adapter, f"<think>Hm. {output}") == {ParsedAnswer(reasoning=f"Hm. {output}")}


def reader(*, several: bool = True) -> ChannelReader:
    tools = {"add": ADD, "now": NOW}

    class NoVocabulary:
        added_ids: frozenset[int] = frozenset()

        def id_of(self, token: str) -> int | None:
            return None

    calls = CallReader(Hermes(NoVocabulary()), tools, several=several)
    return ChannelReader(
        reasoning=("<think>", "</think>"), starts_inside=True, calls=calls, reads_calls_in_reasoning=True
    )


def test_where_one_call_is_allowed_it_is_the_first() -> None:
    made = reader(several=False)
    pieces = [*made.feed(f"{CALL}\n{CALL.replace('add', 'now')}"), *made.flush()]
    assert [piece.name for piece in pieces if piece.name] == ["add"]


def test_an_answer_that_is_cut_may_have_gone_on_so_it_is_thought() -> None:
    made = reader()
    pieces = [*made.feed(f"Hm. {CALL}"), *made.flush(is_cut=True)]
    assert "".join(piece.text for piece in pieces if piece.channel == "reasoning") == f"Hm. {CALL}"
    assert {piece.channel for piece in pieces} == {"reasoning"}


def test_thoughts_about_a_mark_are_streamed_as_they_arrive() -> None:
    made = reader()
    text = "".join(piece.text for piece in made.feed("The mark <tool_call> opens"))
    assert text == "The mark <tool_call> opens"


@pytest.mark.parametrize(
    "wishes", [{"must_call": ("add",), "follows_schemas": True}, {"follows_schemas": True}]
)
def test_what_has_to_follow_a_schema_is_not_heard_in_thoughts(wishes: dict[str, object]) -> None:
    """Nothing holds it to its schema there."""
    adapter, tokenizer = QWEN
    made = AnswerText.of(
        chat_request(QUESTION, tools=(ADD,), **wishes), prompt_of(adapter), tokenizer, adapter
    )
    events = [event for token in tokenizer.encode(f"<think>{CALL}") for event in made.feed(token)]
    assert "".join(event.text for event in [*events, *made.flush()]) == CALL  # type: ignore[union-attr]
    assert made.reason("stop") == "stop"


def test_an_answer_with_such_a_call_is_marked_and_has_each_token_once() -> None:
    adapter, tokenizer = QWEN
    made = AnswerText.of(
        chat_request(QUESTION, tools=(Tool(name="add"),)), prompt_of(adapter), tokenizer, adapter
    )
    tokens = tokenizer.encode(f"<think>Hm.\n{CALL}")
    events: list[Any] = [event for token in tokens for event in made.feed(token)]
    events += made.flush("stop")
    assert made.reason("stop") == "tool_calls"
    assert sum(event.tokens for event in events) == made.tokens
    assert json.loads("".join(event.text for event in events if hasattr(event, "call"))) == {"a": 1}
