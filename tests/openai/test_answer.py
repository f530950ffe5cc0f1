import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from inference.errors import InternalError
from inference.openai.answer import Answer
from inference.openai.chat_completions import ChatWording
from inference.openai.feed import Feed
from inference.types import Accepted, Event, Finished, Progress, TextDelta, Usage


async def events(gate: asyncio.Event, *, is_whole: bool = True) -> AsyncGenerator[Event]:
    yield Accepted(prompt_tokens=4)
    yield Progress(phase="prefill", done=1, total=4)
    await gate.wait()
    yield TextDelta(text="Hi")
    if is_whole:
        yield Finished(reason="stop", usage=Usage(prompt_tokens=4, completion_tokens=1, cached_tokens=3))


async def test_silence_is_filled_with_comments_and_changes_nothing_else() -> None:
    gate = asyncio.Event()
    feed = Feed(events(gate), silence_s=0.01)
    await feed.accepted()
    frames = Answer("tiny", ChatWording()).frames(feed)
    assert b'"role":"assistant"' in await anext(frames)
    assert [await anext(frames), await anext(frames)] == [b": keep-alive\n\n"] * 2
    gate.set()
    rest = [frame async for frame in frames if not frame.startswith(b":")]
    assert b'"content":"Hi"' in rest[0] and rest[-1] == b"data: [DONE]\n\n"


async def test_it_tells_how_many_prompt_tokens_were_cached() -> None:
    gate = asyncio.Event()
    gate.set()
    answer = json.loads(await Answer("tiny", ChatWording()).whole(events(gate)))
    assert answer["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}


async def test_a_whole_answer_without_an_ending_is_an_error() -> None:
    gate = asyncio.Event()
    gate.set()
    with pytest.raises(InternalError):
        await Answer("tiny", ChatWording()).whole(events(gate, is_whole=False))
