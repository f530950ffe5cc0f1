import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from inference.api.http.event_feed import EventFeed
from inference.api.openai.chat_completions import ChatFormat
from inference.api.openai.completions import CompletionFormat
from inference.api.openai.response_writer import ChunkFormat, ResponseWriter
from inference.api.openai.schemas.generation import Extra
from inference.core.errors import InternalError
from inference.core.events import Accepted, Ended, Event, Finished, Progress, ReasoningDelta, TextDelta, Usage
from tests.each import each


async def events(gate: asyncio.Event, *, is_whole: bool = True) -> AsyncGenerator[Event]:
    yield Accepted(prompt_tokens=4)
    yield Progress(phase="prefill", done=1, total=4)
    await gate.wait()
    yield TextDelta(text="Hi")
    if is_whole:
        yield Ended(reason="stop")
        yield Finished(usage=Usage(prompt_tokens=4, completion_tokens=1, cached_tokens=3))


async def test_silence_is_filled_with_comments_and_changes_nothing_else() -> None:
    gate = asyncio.Event()
    frames = await ResponseWriter("tiny", ChatFormat()).stream(EventFeed(events(gate)), interval_s=0.01)
    assert b'"role":"assistant"' in await anext(frames)
    assert [await anext(frames), await anext(frames)] == [b": keep-alive\n\n"] * 2
    gate.set()
    rest = b"".join([frame async for frame in frames]).split(b"\n\n")
    response = [line for line in rest if line.startswith(b"data: ")]
    assert b'"content":"Hi"' in response[0] and response[-1] == b"data: [DONE]"


@pytest.mark.parametrize("chunk_format", [ChatFormat(), CompletionFormat()])
@pytest.mark.parametrize("includes_usage", [False, True])
async def test_each_delta_is_a_chunk_of_its_own_however_odd_its_text(
    chunk_format: ChunkFormat, includes_usage: bool
) -> None:
    texts = ['"', "\\", "\n\n", "é\u2028😀", "</script>", "", "data: [DONE]"]

    async def spoken() -> AsyncGenerator[Event]:
        yield Accepted(prompt_tokens=1)
        for text in texts:
            yield TextDelta(text=text)
            yield ReasoningDelta(text=text)
        yield Ended(reason="stop")
        yield Finished(usage=Usage(prompt_tokens=1))

    answer = ResponseWriter('a "model"', chunk_format, extras=frozenset({"usage"} if includes_usage else ()))
    body = b"".join([frame async for frame in await answer.stream(EventFeed(spoken()))])
    chunks = [json.loads(line[6:]) for line in body.split(b"\n\n")[:-2] if line.startswith(b"data: ")]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    expected = [chunk_format.delta(kind(text=text)) for text in texts for kind in (TextDelta, ReasoningDelta)]
    assert choices[-len(expected) - 1 : -1] == expected
    assert {chunk["model"] for chunk in chunks} == {'a "model"'}
    assert all(("usage" in chunk) == includes_usage for chunk in chunks)


async def test_it_reports_how_many_prompt_tokens_were_cached() -> None:
    gate = asyncio.Event()
    gate.set()
    answer = json.loads(await ResponseWriter("tiny", ChatFormat()).whole(events(gate)))
    assert answer["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}


async def test_a_whole_answer_without_an_ending_is_an_error() -> None:
    gate = asyncio.Event()
    gate.set()
    with pytest.raises(InternalError):
        await ResponseWriter("tiny", ChatFormat()).whole(events(gate, is_whole=False))


async def streamed(*extras: Extra) -> list[dict[str, Any]]:
    gate = asyncio.Event()
    gate.set()
    writer = ResponseWriter("tiny", ChatFormat(), extras=frozenset(extras))
    body = b"".join([frame async for frame in await writer.stream(EventFeed(events(gate)))])
    return [json.loads(line[6:]) for line in body.split(b"\n\n")[:-2] if line.startswith(b"data: ")]


async def test_usage_so_far_is_in_every_chunk() -> None:
    chunks = await streamed("usage", "usage_so_far")
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [0, 1, 1, 1]
    assert {chunk["usage"]["prompt_tokens"] for chunk in chunks} == {4}
    assert [len(chunk["choices"]) for chunk in chunks] == [1, 1, 1, 0]


async def test_progress_of_the_prompt_is_a_chunk_of_its_own() -> None:
    (progress,) = [chunk for chunk in await streamed("progress") if "prompt_progress" in chunk]
    milliseconds = progress["prompt_progress"].pop("time_ms")
    assert progress["prompt_progress"] == {"total": 4, "cache": 0, "processed": 1} and milliseconds >= 0
    assert progress["choices"] == []


async def test_timings_come_with_the_last_chunk_and_with_the_whole() -> None:
    gate = asyncio.Event()
    gate.set()
    writer = ResponseWriter("tiny", ChatFormat(), extras=frozenset({"timings"}))
    whole = json.loads(await writer.whole(events(gate)))
    for timings in (whole["timings"], (await streamed("timings"))[-1]["timings"]):
        assert (timings["cache_n"], timings["prompt_n"], timings["predicted_n"]) == (3, 1, 1)


@each(("keep_alive", "expected"), [("chunk", {"choices": []}), ("comment", None), ("off", None)])
async def test_the_operator_chooses_what_fills_silence(keep_alive: str, expected: Any) -> None:
    gate = asyncio.Event()
    writer = ResponseWriter("tiny", ChatFormat())
    with override_settings(CONFIG=settings.CONFIG.model_copy(update={"keep_alive": keep_alive})):
        frames = await writer.stream(EventFeed(events(gate)), interval_s=0.01)
        await anext(frames)  # the role
        asyncio.get_running_loop().call_later(0.1, gate.set)
        body = b"".join([frame async for frame in frames])
    chunks = [json.loads(line[6:]) for line in body.split(b"\n\n")[:-2] if line.startswith(b"data: ")]
    assert (b": keep-alive" in body) == (keep_alive == "comment")
    assert any(not chunk["choices"] for chunk in chunks) == (expected is not None)


async def thinking() -> AsyncGenerator[Event]:
    yield Accepted(prompt_tokens=1)
    yield ReasoningDelta(text="Hm")
    yield TextDelta(text="Hi")
    yield Ended(reason="stop")
    yield Finished(usage=Usage(prompt_tokens=1, completion_tokens=2, reasoning_tokens=1))


async def test_reasoning_is_left_out_where_nobody_wants_it() -> None:
    writer = ResponseWriter("tiny", ChatFormat(), extras=frozenset({"no_reasoning"}))
    whole = json.loads(await writer.whole(thinking()))
    assert "reasoning_content" not in whole["choices"][0]["message"]
    assert whole["usage"]["completion_tokens_details"] == {"reasoning_tokens": 1}
    body = b"".join([frame async for frame in await writer.stream(EventFeed(thinking()))])
    assert b"Hm" not in body and b'"content":"Hi"' in body
