"""What a family's template writes of a call is read back as the same call, token by token."""

import json
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters import Adapter
from inference.core.events import TextDelta, ToolCallDelta
from inference.core.requests import Message, Tool, ToolCall
from inference.worker.text.answer import AnswerText
from tests.adapters.families import (
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_gpt_oss,
    test_granite,
    test_kimi,
    test_minimax,
    test_mistral,
    test_qwen,
)
from tests.adapters.family_models import LLAMA_TOOLS, NOW, chat_request, real
from tests.each import each
from tests.nightly import IS_NIGHTLY

QUESTION = Message(role="user", content="2 and 3?")
FIND = Tool(
    name="find",
    parameters='{"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"},'
    '"flags": {"type": "array"}, "within": {"type": "object"}}}',
)
FAMILIES = {
    **{name: test_qwen.FAMILIES[name] for name in ("qwen2_5", "qwen3", "coder", "qwen3_5")},
    "llama3_2": real("llama3_2", "llama", LLAMA_TOOLS),
    **{name: test_mistral.FAMILIES[name] for name in ("nemo", "devstral", "small", "ministral")},
    **{f"deepseek_{name}": family for name, family in test_deepseek.FAMILIES.items()},
    **{f"deepseek_{name}": family for name, family in test_deepseek_dsml.FAMILIES.items()},
    **{f"glm_{name}": family for name, family in test_glm.FAMILIES.items()},
    **{f"granite_{name}": family for name, family in test_granite.FAMILIES.items()},
    **{name: test_gemma.FAMILIES[name] for name in ("gemma4", "function_gemma")},
    "kimi_first": test_kimi.FAMILIES["k2_first"],
    "kimi": test_kimi.FAMILIES["k2"],
    "minimax": test_minimax.FAMILIES["m2"],
    "gpt_oss": (test_gpt_oss.ADAPTER, test_gpt_oss.TOKENIZER),
}
# Their templates write one call a turn.
SINGLE = {"llama3_2", "gpt_oss"}
# Their templates leave out the text beside a call, or put it into a turn or a channel of its own.
SILENT = {"llama3_2", "nemo", "small", "gemma4", "gpt_oss"}
# Calls in JSON: the names of arguments may be anything.
IN_JSON = [
    "qwen3",
    "llama3_2",
    "nemo",
    "devstral",
    "ministral",
    "deepseek_v3",
    "deepseek_v3_1",
    "granite_3.3",
    "kimi",
]
EXAMPLES = 30 if IS_NIGHTLY else 8
# Gemma 4 has no other way to write a quote in a text than the quote that ends it.
TEXT = st.text('a"\\{}[]<|>é😀\n', max_size=6).filter(lambda text: '<|"|>' not in text)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "place": TEXT,
        "days": st.integers(),
        "flags": st.lists(st.booleans() | TEXT, max_size=2),
        "within": st.dictionaries(st.text("ab_", min_size=1, max_size=3), TEXT, max_size=2),
    },
)
WILD = st.dictionaries(
    st.text('a"\\{}é', max_size=3), TEXT | st.integers() | st.lists(st.booleans(), max_size=2), max_size=3
)


def called(*calls: dict[str, Any], content: str = "") -> Message:
    made = tuple(
        ToolCall(id=f"abcdef{place:03}", name="find", arguments=json.dumps(arguments))
        for place, arguments in enumerate(calls)
    )
    return Message(role="assistant", content=content, tool_calls=made)


def output(adapter: Adapter, message: Message) -> tuple[list[int], list[int]]:
    """The tokens before the assistant's turn and those of it, as the template writes them."""
    prompt = adapter.render(chat_request(QUESTION, tools=(FIND, NOW)))
    results = (Message(role="tool", content="five", tool_call_id=call.id) for call in message.tool_calls)
    whole = adapter.render(chat_request(QUESTION, message, *results, tools=(FIND, NOW)))
    # Where a template opens the reasoning, its prompt says more than its history.
    shared = len(list(takewhile(lambda both: both[0] == both[1], zip(prompt, whole, strict=False))))
    answer = whole[shared:]
    end = next(place for place, token in enumerate(answer) if token in adapter.stop_ids)
    return whole[:shared], answer[: end + 1]


def parse_answer(name: str, message: Message) -> tuple[str, list[tuple[str, Any]]]:
    """Text and calls of an answer that says this turn as the template writes it."""
    adapter, tokenizer = FAMILIES[name]
    prompt, tokens = output(adapter, message)
    made = AnswerText.of(chat_request(QUESTION, tools=(FIND, NOW)), prompt, tokenizer, adapter)
    events = [*(event for token in tokens for event in made.feed(token)), *made.flush()]
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls.setdefault(event.call, [event.name, ""])[1] += event.text
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert made.reason("stop") == "tool_calls"
    assert sum(getattr(event, "tokens", 0) for event in events) == made.tokens == len(tokens)
    return text.replace("</think>", "").strip(), [
        (call[0], json.loads(call[1])) for _, call in sorted(calls.items())
    ]


@pytest.mark.parametrize("name", FAMILIES)
@given(arguments=ARGUMENTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_call_is_read_back(name: str, arguments: dict[str, Any]) -> None:
    assert parse_answer(name, called(arguments)) == ("", [("find", arguments)])


@pytest.mark.parametrize("name", IN_JSON)
@given(arguments=WILD)
@settings(max_examples=EXAMPLES, deadline=None)
def test_arguments_of_any_name_are_read_back(name: str, arguments: dict[str, Any]) -> None:
    assert parse_answer(name, called(arguments)) == ("", [("find", arguments)])


@each("name", sorted(FAMILIES.keys() - SINGLE))
def test_several_calls_are_read_back(name: str) -> None:
    several: list[dict[str, Any]] = [{"days": 1}, {}, {"place": "a b", "days": 3}]
    assert parse_answer(name, called(*several)) == ("", [("find", arguments) for arguments in several])


@each("name", sorted(FAMILIES.keys() - SILENT))
def test_text_before_a_call_is_read_back(name: str) -> None:
    assert parse_answer(name, called({"days": 1}, content="Let me see.")) == (
        "Let me see.",
        [("find", {"days": 1})],
    )


@each("name", FAMILIES)
def test_calls_and_results_of_another_server_are_rendered(name: str) -> None:
    adapter, tokenizer = FAMILIES[name]
    call = ToolCall(id="call_0123456789abcdef01234567", name="find", arguments='{"days": 41}')
    request = chat_request(
        QUESTION,
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(role="tool", content="five", tool_call_id=call.id, name="find"),
        tools=(FIND,),
    )
    text = tokenizer.decode(adapter.render(request))
    assert text.index("41") < text.index("five")
