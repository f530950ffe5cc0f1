"""gpt-oss's control tokens are real; its template as published."""

# ruff: noqa: E501 - templates have lines of their own

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inference.adapters.harmony import HarmonyReader
from inference.adapters.harmony_calls import HarmonyCalls
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from tests.adapters.family_models import ADD, NOW, chat_request, rendered, stops
from tests.adapters.parsed_answers import (
    QUESTION,
    ParsedAnswer,
    family,
    follows_grammar,
    matches_grammar,
    parse_answer,
    parse_every_split,
    prompt_text,
)
from tests.adapters.published_templates import published
from tests.each import each

TOKENS = (
    *("<|startoftext|>", "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>"),
    *("<|end|>", "<|message|>", "<|call|>"),
)
ADAPTER, TOKENIZER = family("gpt_oss", published("gpt_oss"), TOKENS)
THOUGHT = "<|channel|>analysis<|message|>Hm, 5.<|end|><|start|>assistant"
FINAL = "<|channel|>final<|message|>It is 5."
CALL = '<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a": 2}'
FLIPPED = ' to=functions.add<|channel|>commentary <|constrain|>json<|message|>{"a": 2}'
PREAMBLE = "<|channel|>commentary<|message|>Let me add.<|end|><|start|>assistant"
CALLED = ("add", '{"a": 2}')


def test_it_is_known_ends_and_is_all_right() -> None:
    assert ADAPTER.name == "gpt_oss"
    assert stops(ADAPTER, TOKENIZER) == {"<|return|>", "<|call|>", "<|endoftext|>"}
    assert findings(ADAPTER, TOKENIZER) == ()


@each(
    ("output", "expected"),
    [
        (FINAL, ParsedAnswer(text="It is 5.")),
        (THOUGHT + FINAL, ParsedAnswer(text="It is 5.", reasoning="Hm, 5.")),
        (CALL, ParsedAnswer(calls=(CALLED,))),
        (FLIPPED, ParsedAnswer(calls=(CALLED,))),
        (THOUGHT + CALL, ParsedAnswer(reasoning="Hm, 5.", calls=(CALLED,))),
        (THOUGHT + PREAMBLE + CALL, ParsedAnswer(text="Let me add.", reasoning="Hm, 5.", calls=(CALLED,))),
        (CALL.replace("commentary", "analysis"), ParsedAnswer(calls=(CALLED,))),
        (CALL.replace(" <|constrain|>json", " json"), ParsedAnswer(calls=(CALLED,))),
        (CALL.replace("functions.", ""), ParsedAnswer(calls=(CALLED,))),
        (THOUGHT[: THOUGHT.index("<|end|>")], ParsedAnswer(reasoning="Hm, 5.")),
        ("No channel at all.", ParsedAnswer(text="No channel at all.")),
        (
            THOUGHT.removesuffix("<|start|>assistant") + "And on.",
            ParsedAnswer(text="And on.", reasoning="Hm, 5."),
        ),
        ("<|channel|>fin", ParsedAnswer()),
    ],
)
def test_what_it_says_is_heard(output: str, expected: ParsedAnswer) -> None:
    assert parse_answer(ADAPTER, TOKENIZER, output) == expected
    assert parse_every_split(ADAPTER, output) == {expected}


BARE = THOUGHT.removesuffix("<|start|>assistant")


@each(
    ("output", "expected"),
    [
        (BARE + CALL, ParsedAnswer(reasoning="Hm, 5.", calls=(CALLED,))),
        (BARE + FINAL, ParsedAnswer(text="It is 5.", reasoning="Hm, 5.")),
        (f"{BARE}assistant{FINAL}", ParsedAnswer(text="It is 5.", reasoning="Hm, 5.")),
        (f"{BARE}\n{CALL}", ParsedAnswer(reasoning="Hm, 5.", calls=(CALLED,))),
        (f"{BARE}assistant{FLIPPED}", ParsedAnswer(reasoning="Hm, 5.", calls=(CALLED,))),
        (BARE.removesuffix("<|end|>") + CALL, ParsedAnswer(reasoning="Hm, 5.", calls=(CALLED,))),
        (BARE.removesuffix("<|end|>") + FINAL, ParsedAnswer(text="It is 5.", reasoning="Hm, 5.")),
        (f"{CALL}<|end|>{CALL}", ParsedAnswer(calls=(CALLED, CALLED))),
        (f"{FINAL}<|end|>{FINAL}", ParsedAnswer(text="It is 5.It is 5.")),
    ],
)
def test_a_message_without_the_mark_that_starts_it_is_one(output: str, expected: ParsedAnswer) -> None:
    """https://github.com/vllm-project/vllm/issues/35906"""
    assert parse_answer(ADAPTER, TOKENIZER, output) == expected
    assert parse_every_split(ADAPTER, output) == {expected}


@each("mark", ["<|end|>", "<|channel|>", "<|end|> and <|channel|>", "<|channel|>x"])
def test_a_mark_in_a_text_is_a_part_of_it(mark: str) -> None:
    output = f"<|channel|>final<|message|>The mark {mark} is a token."
    assert parse_every_split(ADAPTER, output) == {ParsedAnswer(text=f"The mark {mark} is a token.")}


def test_a_mark_in_a_string_of_the_arguments_is_a_part_of_it() -> None:
    arguments = '{"a": "x<|end|>y<|start|>z<|channel|>"}'
    output = f"<|channel|>commentary to=functions.add<|message|>{arguments}<|end|><|start|>assistant{FINAL}"
    expected = ParsedAnswer(text="It is 5.", calls=(("add", arguments),))
    assert parse_every_split(ADAPTER, output) == {expected}


@each("recipient", ["functions.sub", "browser.search", "python"])
def test_a_call_of_nobody_is_text_with_its_header(recipient: str) -> None:
    output = CALL.replace("functions.add", recipient)
    (answer,) = parse_every_split(ADAPTER, output)
    assert answer == ParsedAnswer(text=output)


def test_without_tools_a_call_is_text() -> None:
    assert parse_answer(ADAPTER, TOKENIZER, CALL, tools=()).calls == ()


SCRAPS = (
    "<|channel|>",
    "<|message|>",
    "<|end|>",
    "<|start|>",
    "analysis",
    "final",
    "commentary",
    "assistant",
)
MORE = (" to=functions.add", " ", "{}", "hm", "\n", "<|constrain|>", "json", "<|", "to=")


@example("<|<|message|>", [3])
@given(st.lists(st.sampled_from([*SCRAPS, *MORE]), max_size=12).map("".join), st.lists(st.integers(0, 90)))
def test_any_cut_gives_the_same_pieces(output: str, cuts: list[int]) -> None:
    edges = [0, *sorted({cut for cut in cuts if cut < len(output)}), len(output)]
    pieces = [output[start:end] for start, end in zip(edges, edges[1:], strict=False)]

    def read(cut: list[str]) -> list[tuple[str, str]]:
        reader = HarmonyReader(HarmonyCalls(TOKENIZER), {"add": ADD})
        found = [*(one for text in cut for one in reader.feed(text)), *reader.flush()]
        runs: list[tuple[str, str]] = []
        for one in found:
            new = not runs or runs[-1][0] != one.channel or bool(one.name)
            runs = (
                [*runs, (one.channel, one.text)]
                if new
                else [*runs[:-1], (one.channel, runs[-1][1] + one.text)]
            )
        return runs

    assert read(pieces) == read([output])


@pytest.mark.parametrize("output", [CALL, THOUGHT + CALL])
def test_a_required_call_follows_its_grammar(output: str) -> None:
    assert follows_grammar(TOKENIZER, HarmonyCalls, output)


@each("output", [FINAL, CALL.replace("add", "sub"), CALL.replace("2", '"two"'), PREAMBLE])
def test_nothing_else_follows_it(output: str) -> None:
    assert not follows_grammar(TOKENIZER, HarmonyCalls, output)


def test_a_schema_binds_the_final_channel() -> None:
    grammar = f'start: {ADAPTER.answer_rule("schema")}\nschema: %json {{"type": "integer"}}\n'
    assert matches_grammar(TOKENIZER, grammar, THOUGHT + "<|channel|>final<|message|>5")
    assert not matches_grammar(TOKENIZER, grammar, THOUGHT + FINAL)


def test_a_history_has_each_call_by_itself_and_its_thoughts() -> None:
    calls = tuple(ToolCall(id=f"c{a}", name="add", arguments=json.dumps({"a": a})) for a in (1, 2))
    called = Message(role="assistant", content="", reasoning="Two.", tool_calls=calls)
    results = [Message(role="tool", content=f"r{call.id}", tool_call_id=call.id) for call in calls]
    text = prompt_text(ADAPTER, TOKENIZER, QUESTION, called, *results, tools=(ADD, NOW))
    parts = ("analysis<|message|>Two.", '{"a": 1}<|call|>', '"rc1"', '{"a": 2}<|call|>', '"rc2"')
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_text_beside_a_thought_and_a_call_is_read_too() -> None:
    call = ToolCall(id="c", name="add", arguments="{}")
    both = Message(role="assistant", content="Adding.", reasoning="Hm.", tool_calls=(call,))
    result = Message(role="tool", content="r", tool_call_id="c")
    text = prompt_text(ADAPTER, TOKENIZER, QUESTION, both, result, tools=(ADD,))
    assert "Hm.\nAdding." in text


def test_old_thoughts_are_left_out() -> None:
    turns = (QUESTION, Message(role="assistant", content="5", reasoning="secret thought"), QUESTION)
    assert "secret thought" not in prompt_text(ADAPTER, TOKENIZER, *turns)


def test_the_effort_is_in_the_prompt() -> None:
    request = chat_request(QUESTION, template_options=(("reasoning_effort", "high"),))
    assert "Reasoning: high" in TOKENIZER.decode(ADAPTER.render(request))
    assert rendered(ADAPTER, TOKENIZER, "Hi").endswith("<|start|>assistant")
