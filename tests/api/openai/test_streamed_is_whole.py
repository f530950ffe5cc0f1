"""Whatever an answer is made of, however it comes in pieces: put together, a stream is the whole answer."""

import json
import os
from collections import defaultdict
from typing import Any, Literal

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.core.events import (
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
from tests.api.openai.asking import HELLO, post
from tests.fakes import EventRunner, serving

EXAMPLES = int(os.environ.get("MLXSITE_EXAMPLES", "20"))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LIKELY = st.builds(
    lambda text, value: TokenLogprob(text=text, logprob=-value, bytes=tuple(text.encode()), top=()),
    WORDS,
    st.floats(0, 100, allow_nan=False),
)


@st.composite
def answers(draw: st.DrawFn, most: int = 3, is_chat: bool = True) -> list[Event]:
    """The events of up to so many answers: thoughts, text with log probabilities, calls; interleaved."""
    count = draw(st.integers(1, most))
    lines = [_one(draw, index, is_chat) for index in range(count)]
    events: list[Event] = []
    while any(lines):
        line = draw(st.sampled_from([line for line in lines if line]))
        events.append(line.pop(0))
    usage = Usage(prompt_tokens=draw(st.integers(1, 99)), completion_tokens=draw(st.integers(0, 99)))
    return [Accepted(prompt_tokens=1), *events, Finished(usage=usage)]


def _one(draw: st.DrawFn, index: int, is_chat: bool) -> list[Event]:
    texts = [
        TextDelta(text=text, index=index, logprobs=likely)
        for text, likely in draw(st.lists(st.tuples(WORDS, st.just(()) | st.tuples(LIKELY)), max_size=4))
    ]
    if not is_chat:
        return [*texts, Ended(reason=draw(st.sampled_from(["stop", "length"])), index=index)]
    thoughts = [ReasoningDelta(text=text, index=index) for text in draw(st.lists(WORDS, max_size=3))]
    calls: list[Event] = []
    for call in range(draw(st.integers(0, 2))):
        calls.append(ToolCallDelta(call=call, id=f"call_{call}", name="now", index=index))
        calls += [
            ToolCallDelta(call=call, text=text, index=index) for text in draw(st.lists(WORDS, max_size=3))
        ]
    reasons: list[Literal["stop", "length", "tool_calls"]] = ["stop", "length", "tool_calls"]
    reason = draw(st.sampled_from(reasons))
    return [*thoughts, *texts, *calls, Ended(reason=reason, index=index)]


async def asked(endpoint: str, events: list[Event], **fields: Any) -> bytes:
    with serving(EventRunner(*events)):
        response = await post(f"/v1/{endpoint}", {"model": "tiny"} | fields)
        assert response.status_code == 200
        if fields.get("stream"):
            return b"".join([part async for part in response.streaming_content])
        return bytes(response.content)


def both(endpoint: str, events: list[Event], **fields: Any) -> tuple[Any, list[Any]]:
    """The whole answer, and the chunks of the streamed one."""
    if endpoint != "responses":
        fields["n"] = sum(isinstance(event, Ended) for event in events)
    whole = json.loads(async_to_sync(asked)(endpoint, events, **fields))
    options = {} if endpoint == "responses" else {"stream_options": {"include_usage": True}}
    stream = async_to_sync(asked)(endpoint, events, stream=True, **options, **fields).decode()
    lines = [line[6:] for line in stream.split("\n") if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return whole, [json.loads(line) for line in lines]


def joined(chunks: list[Any]) -> tuple[dict[int, dict[str, Any]], Any]:
    """The answers that a chat's chunks make, by their index, and the usage."""
    found: dict[int, dict[str, Any]] = defaultdict(
        lambda: {"content": "", "reasoning": "", "calls": {}, "logprobs": []}
    )
    for chunk in chunks:
        for choice in chunk["choices"]:
            _join(found[choice["index"]], choice)
    return found, chunks[-1]["usage"]


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


def content_of(choice: dict[str, Any]) -> dict[str, Any]:
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


@settings(max_examples=EXAMPLES, deadline=None)
@given(events=answers())
def test_a_stream_put_together_is_the_whole_answer(events: list[Event]) -> None:
    whole, chunks = both("chat/completions", events, messages=HELLO, logprobs=True)
    found, usage = joined(chunks)
    assert found == {choice["index"]: content_of(choice) for choice in whole["choices"]}
    assert usage == whole["usage"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(events=answers(is_chat=False))
def test_a_streamed_completion_put_together_is_the_whole_one(events: list[Event]) -> None:
    whole, chunks = both("completions", events, prompt="Once", logprobs=2)
    found: dict[int, dict[str, Any]] = {}
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        one = found.setdefault(choice["index"], {"text": "", "logprobs": None})
        one["text"] += choice["text"]
        one["reason"] = choice["finish_reason"]
        if body := choice["logprobs"]:
            before = one["logprobs"] or dict.fromkeys(body, [])
            one["logprobs"] = {name: before[name] + body[name] for name in body}
    assert found == {
        choice["index"]: {key: choice[key] for key in ("text", "logprobs")}
        | {"reason": choice["finish_reason"]}
        for choice in whole["choices"]
    }
    assert chunks[-1]["usage"] == whole["usage"]


@pytest.mark.django_db(transaction=True)
@settings(max_examples=EXAMPLES, deadline=None)
@given(events=answers(most=1))
def test_a_streamed_response_put_together_is_the_whole_one(events: list[Event]) -> None:
    whole, body = both("responses", events, input="Hi", store=False)
    items: dict[int, dict[str, Any]] = {}
    for event in body:
        kind, place = event["type"].removeprefix("response."), event.get("output_index")
        if kind == "output_item.added":
            items[place] = {"kind": event["item"]["type"], "text": ""}
        elif kind.endswith(".delta"):
            items[place]["text"] += event["delta"]
    assert list(items.values()) == [
        {
            "kind": item["type"],
            "text": item["arguments"] if "arguments" in item else item["content"][0]["text"],
        }
        for item in whole["output"]
    ]
    last = body[-1]["response"]
    assert [body[-1]["type"], last["status"]] == [f"response.{whole['status']}", whole["status"]]
    assert (last["usage"], last["incomplete_details"]) == (whole["usage"], whole["incomplete_details"])
