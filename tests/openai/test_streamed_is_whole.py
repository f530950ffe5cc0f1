"""Whatever an answer is made of, however it comes in pieces: put together, a stream is the whole answer."""

import json
from collections import defaultdict
from typing import Any

from asgiref.sync import async_to_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.types import (
    Accepted,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from tests.fakes import EventRunner, serving
from tests.openai.asking import chat_body, post

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LIKELY = st.builds(
    lambda text, value: TokenLogprob(text=text, logprob=-value, bytes=tuple(text.encode()), top=()),
    WORDS,
    st.floats(0, 100, allow_nan=False),
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """The events of up to three answers: thoughts, text with log probabilities, calls; interleaved."""
    count = draw(st.integers(1, 3))
    lines = [_one(draw, index) for index in range(count)]
    events: list[Event] = []
    while any(lines):
        line = draw(st.sampled_from([line for line in lines if line]))
        events.append(line.pop(0))
    usage = Usage(prompt_tokens=draw(st.integers(1, 99)), completion_tokens=draw(st.integers(0, 99)))
    return [Accepted(prompt_tokens=1), *events, Finished(usage=usage)]


def _one(draw: st.DrawFn, index: int) -> list[Event]:
    thoughts = [ReasoningDelta(text=text, index=index) for text in draw(st.lists(WORDS, max_size=3))]
    texts = [
        TextDelta(text=text, index=index, logprobs=likely)
        for text, likely in draw(st.lists(st.tuples(WORDS, st.just(()) | st.tuples(LIKELY)), max_size=4))
    ]
    calls: list[Event] = []
    for call in range(draw(st.integers(0, 2))):
        calls.append(ToolCallDelta(call=call, id=f"call_{call}", name="now", index=index))
        calls += [
            ToolCallDelta(call=call, text=text, index=index) for text in draw(st.lists(WORDS, max_size=3))
        ]
    reason = draw(st.sampled_from(["stop", "length", "tool_calls"]))
    return [*thoughts, *texts, *calls, Ended(reason=reason, index=index)]


async def asked(events: list[Event], **fields: Any) -> bytes:
    count = sum(isinstance(event, Ended) for event in events)
    with serving(EventRunner(*events)):
        response = await post("/v1/chat/completions", chat_body(n=count, logprobs=True) | fields)
        assert response.status_code == 200
        if fields.get("stream"):
            return b"".join([part async for part in response.streaming_content])
        return bytes(response.content)


def joined(stream: bytes) -> tuple[dict[int, dict[str, Any]], Any]:
    """The answers that a stream's chunks make, by their index, and the usage."""
    lines = [line[6:] for line in stream.decode().split("\n\n") if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    found: dict[int, dict[str, Any]] = defaultdict(
        lambda: {"content": "", "reasoning": "", "calls": {}, "logprobs": []}
    )
    usage = None
    for chunk in map(json.loads, lines):
        usage = chunk["usage"] or usage
        for choice in chunk["choices"]:
            _join(found[choice["index"]], choice)
    return found, usage


def _join(answer: dict[str, Any], choice: dict[str, Any]) -> None:
    delta = choice["delta"]
    answer["content"] += delta.get("content") or ""
    answer["reasoning"] += delta.get("reasoning_content") or ""
    answer["reason"] = choice["finish_reason"] or answer.get("reason")
    answer["logprobs"] += choice["logprobs"]["content"] if choice["logprobs"] else []
    for call in delta.get("tool_calls", ()):
        known = answer["calls"].setdefault(call["index"], {"id": "", "name": "", "arguments": ""})
        known["id"] += call.get("id", "")
        known["name"] += call["function"].get("name", "")
        known["arguments"] += call["function"]["arguments"]


def said(choice: dict[str, Any]) -> dict[str, Any]:
    """A whole answer in the same form."""
    message = choice["message"]
    calls = {
        place: {"id": call["id"], **call["function"]}
        for place, call in enumerate(message.get("tool_calls", ()))
    }
    return {
        "content": message["content"] or "",
        "reasoning": message.get("reasoning_content", ""),
        "calls": calls,
        "logprobs": choice["logprobs"]["content"] if choice["logprobs"] else [],
        "reason": choice["finish_reason"],
    }


@settings(max_examples=150, deadline=None)
@given(events=answers())
def test_a_stream_put_together_is_the_whole_answer(events: list[Event]) -> None:
    whole = json.loads(async_to_sync(asked)(events))
    stream = async_to_sync(asked)(events, stream=True, stream_options={"include_usage": True})
    found, usage = joined(stream)
    assert found == {choice["index"]: said(choice) for choice in whole["choices"]}
    assert usage == whole["usage"]
