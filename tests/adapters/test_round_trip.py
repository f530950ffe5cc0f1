"""What a family's template writes of a call is read back as the same call, token by token."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.adapters import Adapter
from inference.requests import Message, ToolCall
from inference.types import TextDelta, ToolCallDelta
from inference.worker.text import Answer
from tests.adapters import test_deepseek, test_kimi
from tests.adapters.families import ADD, LLAMA_TOOLS, MISTRAL_ARGS, NOW, asking, real

ASKED = Message(role="user", content="2 and 3?")
FAMILIES = {
    "qwen3": real("qwen3", "qwen3"),
    "llama3_2": real("llama3_2", "llama", LLAMA_TOOLS),
    "mistral_nemo": real("mistral_nemo", "mistral"),
    "mistral_args": real("mistral_nemo", "mistral", MISTRAL_ARGS),
    "deepseek_v3": test_deepseek.FAMILIES["v3"],
    "deepseek_v3_1": test_deepseek.FAMILIES["v3_1"],
    "kimi": test_kimi.FAMILIES["k2"],
}
SEVERAL = sorted(FAMILIES.keys() - {"llama3_2"})
# Whose templates keep the text beside a call.
TALKING = ["qwen3", "mistral_args", "deepseek_v3", "deepseek_v3_1", "kimi"]
ARGUMENTS = st.dictionaries(
    st.text('a"\\{}é', max_size=3),
    st.text('a"\\{}[]<|>é😀\n', max_size=6) | st.integers() | st.lists(st.booleans(), max_size=2),
    max_size=3,
)


def called(*calls: dict[str, Any], content: str = "") -> Message:
    made = tuple(
        ToolCall(id=f"abcdef{place:03}", name="add", arguments=json.dumps(arguments))
        for place, arguments in enumerate(calls)
    )
    return Message(role="assistant", content=content, tool_calls=made)


def said(adapter: Adapter, message: Message) -> list[int]:
    """The tokens that a template writes for the assistant's turn: what the model would have said."""
    asked = adapter.render(asking(ASKED, tools=(ADD, NOW)))
    whole = adapter.render(asking(ASKED, message, tools=(ADD, NOW)))
    assert whole[: len(asked)] == asked
    answer = whole[len(asked) :]
    end = next(place for place, token in enumerate(answer) if token in adapter.stop_ids)
    return answer[: end + 1]


def heard(name: str, tokens: list[int]) -> tuple[str, list[tuple[str, Any]]]:
    """Text and calls of an answer of these tokens."""
    adapter, tokenizer = FAMILIES[name]
    made = Answer.of(asking(ASKED, tools=(ADD, NOW)), [0], tokenizer, adapter)
    events = [*(event for token in tokens for event in made.feed(token)), *made.flush()]
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls.setdefault(event.call, [event.name, ""])[1] += event.text
    deltas = [event for event in events if isinstance(event, TextDelta | ToolCallDelta)]
    text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
    assert made.reason("stop") == "tool_calls"
    assert sum(delta.tokens for delta in deltas) == made.tokens == len(tokens)
    return text, [(call[0], json.loads(call[1])) for _, call in sorted(calls.items())]


def without_think(name: str, tokens: list[int]) -> list[int]:
    """Qwen's template writes an empty reasoning before a last answer, which its model does not say."""
    _, tokenizer = FAMILIES[name]
    text = tokenizer.decode(tokens).replace("<think>\n\n</think>\n\n", "")
    return tokenizer.encode(text)


@pytest.mark.parametrize("name", FAMILIES)
@given(arguments=ARGUMENTS)
@settings(max_examples=30, deadline=None)
def test_a_call_is_read_back(name: str, arguments: dict[str, Any]) -> None:
    adapter, _ = FAMILIES[name]
    tokens = without_think(name, said(adapter, called(arguments)))
    assert heard(name, tokens) == ("", [("add", arguments)])


@pytest.mark.parametrize("name", SEVERAL)
def test_several_calls_are_read_back(name: str) -> None:
    adapter, _ = FAMILIES[name]
    tokens = without_think(name, said(adapter, called({"a": 1}, {}, {"a": 3})))
    assert heard(name, tokens) == ("", [("add", {"a": 1}), ("add", {}), ("add", {"a": 3})])


@pytest.mark.parametrize("name", TALKING)
def test_text_before_a_call_is_read_back(name: str) -> None:
    adapter, _ = FAMILIES[name]
    tokens = without_think(name, said(adapter, called({"a": 1}, content="Let me see.")))
    assert heard(name, tokens) == ("Let me see.", [("add", {"a": 1})])


@pytest.mark.parametrize("name", FAMILIES)
def test_calls_and_results_of_another_server_are_rendered(name: str) -> None:
    adapter, tokenizer = FAMILIES[name]
    call = ToolCall(id="call_0123456789abcdef01234567", name="add", arguments='{"a": 41}')
    asked = asking(
        ASKED,
        Message(role="assistant", content="", tool_calls=(call,)),
        Message(role="tool", content="five", tool_call_id=call.id, name="add"),
        tools=(ADD,),
    )
    text = tokenizer.decode(adapter.render(asked))
    assert '"a": 41' in text
    assert "five" in text
