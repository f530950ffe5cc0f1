import json
from typing import Any

import pytest

from inference.core.errors import UpstreamFailed
from inference.core.events import (
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from inference.upstreams.chunk_reader import ChunkReader
from tests.each import each
from tests.upstreams.fake_server import USAGE, delta


def read(*chunks: Any, answers: int = 1) -> list[Event]:
    reader = ChunkReader(answers, prompt_tokens=5)
    found = [
        event
        for chunk in chunks
        for event in reader.read(chunk if isinstance(chunk, str) else json.dumps(chunk))
    ]
    return [*found, *reader.end()]


def call(text: str, name: str = "", number: str = "", **fields: Any) -> dict[str, Any]:
    function = {"arguments": text, **({"name": name} if name else {})}
    return delta(tool_calls=[{"function": function, **({"id": number} if number else {}), **fields}])


def test_reasoning_and_text_are_told_apart_under_both_names() -> None:
    events = read(
        delta(reasoning_content="Hm"), delta(reasoning="m."), delta(content="Yes"), delta(finish="stop")
    )
    assert events[:3] == [ReasoningDelta(text="Hm"), ReasoningDelta(text="m."), TextDelta(text="Yes")]
    assert events[3:] == [
        Ended(reason="stop"),
        Finished(usage=Usage(prompt_tokens=5, completion_tokens=3, reasoning_tokens=2)),  # by its chunks
    ]


def test_the_servers_own_count_wins_and_its_chunk_has_no_choices() -> None:
    usage = read(delta(content="x"), delta(finish="length"), USAGE, "[DONE]")[-1]
    assert isinstance(usage, Finished)
    assert usage.usage == Usage(prompt_tokens=11, completion_tokens=2, cached_tokens=7, reasoning_tokens=1)


@each("usage", [{"prompt_tokens": "many"}, {"prompt_tokens": -1}, {"prompt_tokens": True}, {}])
def test_counts_that_make_no_sense_are_zero(usage: dict[str, Any]) -> None:
    finished = read(delta(finish="stop"), {"choices": [], "usage": usage})[-1]
    assert isinstance(finished, Finished) and finished.usage == Usage(prompt_tokens=0)


def test_a_completions_text_and_a_whole_message_are_read() -> None:
    assert read({"choices": [{"text": "on", "finish_reason": "stop"}]})[0] == TextDelta(text="on")
    whole = {"choices": [{"message": {"content": [{"type": "text", "text": "Hi"}]}, "finish_reason": "stop"}]}
    assert read(whole)[0] == TextDelta(text="Hi")


def test_several_answers_are_told_apart() -> None:
    events = read(
        delta(1, content="b"), delta(0, content="a"), delta(0, "stop"), delta(1, "length"), answers=2
    )
    assert events[:2] == [TextDelta(text="b", index=1), TextDelta(text="a", index=0)]
    assert events[2:4] == [Ended(reason="stop", index=0), Ended(reason="length", index=1)]


def test_calls_come_piece_by_piece_by_their_index() -> None:
    events = read(
        call("", "look", "call_a", index=0),
        call('{"x"', index=0),
        call("", "find", "call_b", index=1),
        call(":1}", index=0),
        call("{}", index=1),
        delta(finish="tool_calls"),
    )
    assert events[:5] == [
        ToolCallDelta(call=0, id="call_a", name="look"),
        ToolCallDelta(call=0, text='{"x"'),
        ToolCallDelta(call=1, id="call_b", name="find"),
        ToolCallDelta(call=0, text=":1}"),
        ToolCallDelta(call=1, text="{}"),
    ]
    assert events[5] == Ended(reason="tool_calls")


@pytest.mark.parametrize("fields", [{"index": 0}, {}])
def test_whole_calls_with_one_index_or_none_are_several(fields: dict[str, int]) -> None:
    events = read(
        call('{"a":1}', "look", "call_a", **fields),
        call('{"b":2}', "look", "call_b", **fields),
        delta(finish="tool_calls"),
    )
    assert [event.call for event in events if isinstance(event, ToolCallDelta)] == [0, 1]


def test_a_call_without_an_id_gets_one_and_arguments_may_be_an_object() -> None:
    found = delta(finish="tool_calls", tool_calls=[{"function": {"name": "look", "arguments": {"x": "ü"}}}])
    first = read(found)[0]
    assert isinstance(first, ToolCallDelta)
    assert first.id.startswith("call_") and first.text == '{"x": "ü"}'


def test_calls_have_a_largest_number() -> None:
    with pytest.raises(UpstreamFailed):
        read(*(call("{}", "look", f"call_{number}", index=number) for number in range(200)))


def test_log_probabilities_have_their_bytes() -> None:
    top = [{"token": "y", "logprob": -1, "bytes": [121]}]
    content = [{"token": "é", "logprob": -0.5, "bytes": None, "top_logprobs": top}]
    first = read(
        {"choices": [{"delta": {"content": "é"}, "logprobs": {"content": content}, "finish_reason": "stop"}]}
    )[0]
    assert isinstance(first, TextDelta)
    (token,) = first.logprobs
    assert (token.text, token.bytes, token.logprob) == ("é", (195, 169), -0.5)
    assert [(one.text, one.logprob) for one in token.top] == [("y", -1.0)]


@each("given", [{"content": 5, "tool_calls": 7, "reasoning": []}, {"tool_calls": [5, {}]}, 3])
def test_fields_of_wrong_types_add_nothing_that_breaks(given: Any) -> None:
    events = read({"choices": [{"delta": given, "finish_reason": "stop", "logprobs": 4}]})
    assert not any(isinstance(event, TextDelta | ReasoningDelta) for event in events)


def test_an_answer_without_an_end_is_broken_off() -> None:
    with pytest.raises(UpstreamFailed, match="broke off"):
        read(delta(0, "stop"), "[DONE]", answers=2)
