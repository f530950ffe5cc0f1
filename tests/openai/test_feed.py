import asyncio
from collections.abc import AsyncGenerator

import pytest

from inference.errors import InternalError, QueueFull, ServerError
from inference.openai.feed import Feed
from inference.types import Accepted, Event, Finished, Progress, TextDelta, Usage

FINISHED = Finished(reason="stop", usage=Usage(prompt_tokens=1))


class Source:
    """Scripted events; it remembers whether it was closed before its end."""

    def __init__(self, *script: Event | Exception | asyncio.Event) -> None:
        self.script = script
        self.is_closed_early = False

    async def events(self) -> AsyncGenerator[Event]:
        is_at_end = False
        try:
            for step in self.script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    is_at_end = True
                    raise step
                else:
                    yield step
            is_at_end = True
        finally:
            self.is_closed_early = not is_at_end


async def test_it_waits_for_accepted_and_then_passes_everything_on() -> None:
    text = TextDelta(text="a")
    feed = Feed(Source(Progress(phase="queued"), Accepted(prompt_tokens=3), text, FINISHED).events())
    assert (await feed.accepted()).prompt_tokens == 3
    assert [event async for event in feed] == [text, FINISHED]


async def test_a_refusal_is_raised_before_accepted() -> None:
    feed = Feed(Source(Progress(phase="queued"), QueueFull("Busy.", retry_after=2)).events())
    with pytest.raises(QueueFull):
        await feed.accepted()


async def test_an_unexpected_error_is_told_without_its_text() -> None:
    feed = Feed(Source(Accepted(prompt_tokens=1), ValueError("/secret/path")).events())
    await feed.accepted()
    with pytest.raises(InternalError) as caught:
        await anext(aiter(feed))
    assert "secret" not in caught.value.message


async def test_a_source_that_just_ends_is_an_error() -> None:
    feed = Feed(Source(Accepted(prompt_tokens=1), TextDelta(text="a")).events())
    await feed.accepted()
    with pytest.raises(ServerError):
        [event async for event in feed]


async def test_silence_is_told_and_costs_no_event() -> None:
    gate = asyncio.Event()
    feed = Feed(Source(Accepted(prompt_tokens=1), gate, FINISHED).events(), silence_s=0.01)
    await feed.accepted()
    events = aiter(feed)
    assert [await anext(events), await anext(events)] == [None, None]
    gate.set()
    assert FINISHED in [event async for event in events]


async def test_closing_closes_the_source_wherever_it_waits() -> None:
    source = Source(Accepted(prompt_tokens=1), asyncio.Event())
    feed = Feed(source.events())
    await feed.accepted()
    await feed.aclose()
    assert source.is_closed_early


async def test_leaving_before_accepted_closes_the_source() -> None:
    source = Source(Progress(phase="queued"), asyncio.Event())
    waiting = asyncio.create_task(Feed(source.events()).accepted())
    await asyncio.wait([waiting], timeout=0.02)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.gather(
        *(task for task in asyncio.all_tasks() if task is not asyncio.current_task()), return_exceptions=True
    )
    assert source.is_closed_early


async def test_a_reader_of_a_cancelled_feed_is_told() -> None:
    feed = Feed(Source(Accepted(prompt_tokens=1), asyncio.Event()).events(), silence_s=0.01)
    await feed.accepted()
    feed.cancel()
    with pytest.raises(InternalError):
        [event async for event in feed]
