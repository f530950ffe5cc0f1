import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from inference.api.http.event_feed import EventFeed
from inference.api.openai.chat_completions import ChatFormat
from inference.api.openai.completions import CompletionFormat
from inference.api.openai.response_writer import ChunkFormat, ResponseWriter
from inference.core.errors import InternalError
from inference.core.events import Accepted, Ended, Event, Finished, Progress, ReasoningDelta, TextDelta, Usage


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
    feed = EventFeed(events(gate), silence_s=0.01)
    await feed.accepted()
    frames = ResponseWriter("tiny", ChatFormat()).frames(feed)
    assert b'"role":"assistant"' in await anext(frames)
    assert [await anext(frames), await anext(frames)] == [b": keep-alive\n\n"] * 2
    gate.set()
    rest = b"".join([frame async for frame in frames]).split(b"\n\n")
    told = [line for line in rest if line.startswith(b"data: ")]
    assert b'"content":"Hi"' in told[0] and told[-1] == b"data: [DONE]"


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

    feed = EventFeed(spoken())
    await feed.accepted()
    answer = ResponseWriter('a "model"', chunk_format, includes_usage=includes_usage)
    body = b"".join([frame async for frame in answer.frames(feed)])
    chunks = [json.loads(line[6:]) for line in body.split(b"\n\n")[:-2] if line.startswith(b"data: ")]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    expected = [chunk_format.delta(kind(text=text)) for text in texts for kind in (TextDelta, ReasoningDelta)]
    assert choices[-len(expected) - 1 : -1] == expected
    assert {chunk["model"] for chunk in chunks} == {'a "model"'}
    assert all(("usage" in chunk) == includes_usage for chunk in chunks)


async def test_it_tells_how_many_prompt_tokens_were_cached() -> None:
    gate = asyncio.Event()
    gate.set()
    answer = json.loads(await ResponseWriter("tiny", ChatFormat()).whole(events(gate)))
    assert answer["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}


async def test_a_whole_answer_without_an_ending_is_an_error() -> None:
    gate = asyncio.Event()
    gate.set()
    with pytest.raises(InternalError):
        await ResponseWriter("tiny", ChatFormat()).whole(events(gate, is_whole=False))
