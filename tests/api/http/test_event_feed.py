import asyncio
from collections.abc import AsyncGenerator

import pytest

from inference.api.http.event_feed import EventFeed
from inference.core.errors import InternalError, InvalidValue, QueueFull, ServerError
from inference.core.events import Accepted, Event, Finished, Progress, TextDelta, Usage
from tests.each import each

FINISHED = Finished(usage=Usage(prompt_tokens=1))


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


async def read(feed: EventFeed) -> list[Event]:
    return [event async for batch in feed.batches() for event in batch]


async def test_it_waits_for_accepted_and_then_passes_everything_on() -> None:
    text = TextDelta(text="a")
    feed = EventFeed(Source(Progress(phase="queued"), Accepted(prompt_tokens=3), text, FINISHED).events())
    assert (await feed.accepted()).prompt_tokens == 3
    assert await read(feed) == [text, FINISHED]


async def test_a_refusal_is_raised_before_accepted() -> None:
    feed = EventFeed(Source(Progress(phase="queued"), QueueFull("Busy.", retry_after=2)).events())
    with pytest.raises(QueueFull):
        await feed.accepted()


async def test_an_unexpected_error_is_reported_without_its_text() -> None:
    feed = EventFeed(Source(Accepted(prompt_tokens=1), ValueError("/secret/path")).events())
    await feed.accepted()
    with pytest.raises(InternalError) as caught:
        await anext(feed.batches())
    assert "secret" not in caught.value.message


async def test_a_source_that_just_ends_is_an_error() -> None:
    feed = EventFeed(Source(Accepted(prompt_tokens=1), TextDelta(text="a")).events())
    await feed.accepted()
    batches = feed.batches()
    assert await anext(batches) == [TextDelta(text="a")]
    with pytest.raises(ServerError):
        await anext(batches)


async def test_a_reader_that_waits_can_be_woken_and_misses_no_event() -> None:
    gate = asyncio.Event()
    feed = EventFeed(Source(Accepted(prompt_tokens=1), gate, FINISHED).events())
    await feed.accepted()
    batches = feed.batches()
    for _ in range(2):
        asyncio.get_running_loop().call_later(0.01, feed.wake)
        assert await anext(batches) == []
    gate.set()
    assert [event async for batch in batches for event in batch] == [FINISHED]


async def test_an_error_names_the_fields_of_the_body() -> None:
    refusal = InvalidValue("max_tokens is too large.", param="max_tokens")
    for script in ([refusal], [Accepted(prompt_tokens=1), refusal]):
        feed = EventFeed(Source(*script).events(), {"max_tokens": "options.num_predict"})
        with pytest.raises(InvalidValue) as caught:
            await feed.accepted()
            await read(feed)
        assert caught.value.param == "options.num_predict"
        assert caught.value.message == "options.num_predict is too large."


async def test_what_came_together_is_read_together() -> None:
    text = TextDelta(text="a")
    feed = EventFeed(Source(Accepted(prompt_tokens=1), text, text, text, FINISHED).events())
    await feed.accepted()
    assert [batch async for batch in feed.batches()] == [[text, text, text, FINISHED]]


async def test_a_slow_reader_holds_the_source_back() -> None:
    taken = 0

    async def endless() -> AsyncGenerator[Event]:
        nonlocal taken
        yield Accepted(prompt_tokens=1)
        while taken < 1000:
            taken += 1
            yield TextDelta(text=str(taken))
        yield FINISHED

    feed = EventFeed(endless())
    await feed.accepted()
    batches = feed.batches()
    await asyncio.sleep(0)
    held_at = taken
    assert held_at <= 260
    texts = [event.text async for batch in batches for event in batch if isinstance(event, TextDelta)]
    assert texts == [str(number) for number in range(1, 1001)]


async def test_closing_closes_the_source_wherever_it_waits() -> None:
    source = Source(Accepted(prompt_tokens=1), asyncio.Event())
    feed = EventFeed(source.events())
    await feed.accepted()
    await feed.aclose()
    assert source.is_closed_early


async def test_leaving_before_accepted_closes_the_source() -> None:
    source = Source(Progress(phase="queued"), asyncio.Event())
    waiting = asyncio.create_task(EventFeed(source.events()).accepted())
    await asyncio.wait([waiting], timeout=0.02)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.gather(
        *(task for task in asyncio.all_tasks() if task is not asyncio.current_task()), return_exceptions=True
    )
    assert source.is_closed_early


async def test_a_reader_of_a_cancelled_feed_is_notified() -> None:
    feed = EventFeed(Source(Accepted(prompt_tokens=1), asyncio.Event()).events())
    await feed.accepted()
    feed.cancel()
    with pytest.raises(InternalError):
        await read(feed)


async def test_a_feed_cancelled_before_it_began_notifies_its_reader() -> None:
    feed = EventFeed(Source(Accepted(prompt_tokens=1)).events())
    feed.cancel()
    with pytest.raises(InternalError):
        await feed.accepted()


@each("before", [255, 256, 257, 1000])
async def test_any_number_of_events_may_come_before_accepted(before: int) -> None:
    waiting = [Progress(phase="queued", done=number) for number in range(before)]
    text = TextDelta(text="a")
    feed = EventFeed(Source(*waiting, Accepted(prompt_tokens=3), text, FINISHED).events())
    async with asyncio.timeout(5):
        assert (await feed.accepted()).prompt_tokens == 3
        assert await read(feed) == [text, FINISHED]


async def test_a_refusal_behind_many_events_is_raised() -> None:
    waiting = [Progress(phase="queued", done=number) for number in range(300)]
    feed = EventFeed(Source(*waiting, QueueFull("Busy.", retry_after=2)).events())
    with pytest.raises(QueueFull):
        async with asyncio.timeout(5):
            await feed.accepted()


async def test_a_late_acceptance_may_be_asked_for_again() -> None:
    gate = asyncio.Event()
    feed = EventFeed(Source(Progress(phase="loading"), gate, Accepted(prompt_tokens=3), FINISHED).events())
    assert await feed.accepted_within(0.01) is None
    assert await feed.accepted_within(0.01) is None
    gate.set()
    accepted = await feed.accepted_within(5)
    assert accepted and accepted.prompt_tokens == 3
    assert await read(feed) == [FINISHED]


async def test_a_late_refusal_is_raised_when_it_is_asked_for() -> None:
    gate = asyncio.Event()
    feed = EventFeed(Source(gate, QueueFull("Busy.")).events())
    assert await feed.accepted_within(0.01) is None
    gate.set()
    with pytest.raises(QueueFull):
        await feed.accepted_within(5)
