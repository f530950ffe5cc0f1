"""Keep-alives: what a stream sends after each silence, so that its client knows that it is still served.

A silence counts from the last data that was sent. An event that writes nothing, such as hidden reasoning, a
piece of a call that is sent whole, or the progress of a prompt, does not end it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence, Sized
from contextlib import aclosing, contextmanager
from typing import Final, Protocol, TypeVar

from inference.api.http.event_feed import EventFeed
from inference.core.events import Accepted, Event

INTERVAL_S: Final = 10.0
Data = TypeVar("Data", bound=Sized, covariant=True)


class StreamWriter(Protocol[Data]):
    """How a dialect writes an answer; empty data is not sent."""

    def begin(self, accepted: Accepted) -> Data:
        """The first data, once the model has accepted the request."""
        ...

    def write(self, events: Sequence[Event]) -> Data: ...

    def fill(self) -> Data:
        """The data that a silence brings, also one before `begin`."""
        ...


class Silence:
    """The time since data was sent. Made on the running loop."""

    def __init__(self, interval_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._interval_s = interval_s
        self._began_at = self._loop.time()

    @property
    def left_s(self) -> float:
        """Until it is as long as the interval."""
        return self._began_at + self._interval_s - self._loop.time()

    @property
    def is_due(self) -> bool:
        return self.left_s <= 0

    def restart(self) -> None:
        self._began_at = self._loop.time()

    @contextmanager
    def watched(self, on_due: Callable[[], object]) -> Iterator[None]:
        """Call `on_due` whenever it is as long as the interval."""
        self._look(on_due)
        try:
            yield
        finally:
            self._timer.cancel()

    def _look(self, on_due: Callable[[], object]) -> None:
        # One timer for the whole stream: a timeout around every single event costs more than the event.
        left_s = self.left_s
        if left_s <= 0:
            on_due()
            left_s = self._interval_s
        self._timer = self._loop.call_later(left_s, self._look, on_due)


async def stream(
    writer: StreamWriter[Data],
    feed: EventFeed,
    *,
    interval_s: float | None = None,
    may_begin_early: bool = True,
) -> AsyncGenerator[Data]:
    """Begin an answer: what `writer` makes of the events of `feed`, which is closed with it.

    Raises a refusal that comes within one interval, while it can still have a status. After that the stream
    begins before the model has accepted the request, and raises a later refusal itself. Where it may not
    begin early, it waits for the model however long that takes.
    """
    silence = Silence(INTERVAL_S if interval_s is None else interval_s)
    accepted = await (feed.accepted_within(silence.left_s) if may_begin_early else feed.accepted())
    return _stream(writer, feed, silence, writer.begin(accepted) if accepted else None)


async def _stream(
    writer: StreamWriter[Data], feed: EventFeed, silence: Silence, begun: Data | None
) -> AsyncGenerator[Data]:
    async with aclosing(feed):
        while begun is None:
            yield writer.fill()
            silence.restart()
            accepted = await feed.accepted_within(silence.left_s)
            begun = writer.begin(accepted) if accepted else None
        if begun:
            yield begun
            silence.restart()
        with silence.watched(feed.wake):
            async for batch in feed.batches():
                data = writer.write(batch)
                if not data and silence.is_due:
                    data = writer.fill()
                    silence.restart()
                if data:
                    yield data
                    silence.restart()
