import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

import pytest

from inference.api.http import keep_alive
from inference.api.http.event_feed import EventFeed
from inference.core.errors import QueueFull
from inference.core.events import Accepted, Event, Finished, Progress, ReasoningDelta, TextDelta, Usage

INTERVAL_S = 0.1
FINISHED = Finished(usage=Usage(prompt_tokens=1))
FILL = "keep-alive"


class TextWriter:
    """Writes text alone, as a client that hides the reasoning has it."""

    def begin(self, accepted: Accepted) -> str:
        return "begun"

    def write(self, events: Sequence[Event]) -> str:
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    def fill(self) -> str:
        return FILL


async def played(*script: Event | Exception | float) -> AsyncGenerator[Event]:
    """These events, with pauses of these seconds."""
    for step in script:
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step


async def sent(*script: Event | Exception | float, may_begin_early: bool = True) -> list[tuple[float, str]]:
    """What is sent, each with the seconds since what was sent before it."""
    found, last = [], time.monotonic()
    frames = await keep_alive.stream(
        TextWriter(), EventFeed(played(*script)), interval_s=INTERVAL_S, may_begin_early=may_begin_early
    )
    async for frame in frames:
        now = time.monotonic()
        found.append((now - last, frame))
        last = now
    return found


def steadily(event: Event, seconds: float) -> list[Event | float]:
    return [step for _ in range(round(seconds / 0.03)) for step in (event, 0.03)]


@pytest.mark.parametrize(
    "silent",
    [
        [0.45],
        steadily(Progress(phase="prefill", done=1, total=9), 0.45),
        steadily(ReasoningDelta(text="Hm"), 0.45),
    ],
    ids=["nothing", "progress", "hidden reasoning"],
)
async def test_every_silence_is_filled_and_no_more(silent: list[Event | float]) -> None:
    began = time.monotonic()
    found = await sent(Accepted(prompt_tokens=1), *silent, TextDelta(text="a"), *silent, FINISHED)
    elapsed = time.monotonic() - began
    fills = [gap for gap, frame in found if frame == FILL]
    assert [frame for _, frame in found if frame != FILL] == ["begun", "a"]
    assert min(fills) > 0.9 * INTERVAL_S
    assert (
        5 <= len(fills) <= elapsed / INTERVAL_S
    )  # four in each silence of a machine with nothing else to do


async def test_data_puts_the_next_keep_alive_off() -> None:
    steps = [step for _ in range(8) for step in (TextDelta(text="a"), 0.06)]
    found = await sent(Accepted(prompt_tokens=1), *steps, FINISHED)
    assert [frame for _, frame in found if frame != FILL] == ["begun", *["a"] * 8]
    assert all(gap > 0.9 * INTERVAL_S for gap, frame in found if frame == FILL)  # on a busy machine


async def test_a_request_that_waits_begins_with_keep_alives() -> None:
    found = await sent(Progress(phase="loading"), 0.35, Accepted(prompt_tokens=1), FINISHED)
    frames = [frame for _, frame in found]
    assert frames[0] == FILL and frames[-1] == "begun" and len(frames) >= 3


async def test_an_early_refusal_is_raised_before_anything_is_sent() -> None:
    with pytest.raises(QueueFull):
        await keep_alive.stream(TextWriter(), EventFeed(played(QueueFull("Busy."))), interval_s=INTERVAL_S)


async def test_a_late_refusal_is_raised_by_the_stream() -> None:
    feed = EventFeed(played(0.15, QueueFull("Busy.")))
    frames = await keep_alive.stream(TextWriter(), feed, interval_s=INTERVAL_S)
    assert await anext(frames) == FILL
    with pytest.raises(QueueFull):
        async for _ in frames:
            pass


async def test_a_stream_that_may_not_begin_early_waits_for_the_model() -> None:
    found = await sent(0.25, Accepted(prompt_tokens=1), FINISHED, may_begin_early=False)
    assert found[0][1] == "begun" and found[0][0] > 0.2


async def test_leaving_closes_the_feed_and_its_timer() -> None:
    feed = EventFeed(played(Accepted(prompt_tokens=1), 60.0))
    frames = await keep_alive.stream(TextWriter(), feed, interval_s=0.01)
    assert [await anext(frames), await anext(frames)] == ["begun", FILL]
    await frames.aclose()
    wakes = 0

    def count() -> None:
        nonlocal wakes
        wakes += 1

    feed.wake = count  # type: ignore[method-assign]
    await asyncio.sleep(0.05)
    assert wakes == 0
