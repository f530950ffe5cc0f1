"""A request's events on their way to a streamed response."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, suppress

from inference.api.http import errors, sse
from inference.core.errors import InternalError, ServerError
from inference.core.events import Accepted, Event, Finished

_CAPACITY = 256


class EventFeed:
    """Events pumped by one task of their own, so that silence can be noticed without disturbing them.

    Use it as `await feed.accepted()`, then `async for events in feed.batches()`. `aclose` cancels the request
    at any point. Must be made on the running loop.
    """

    def __init__(self, events: AsyncGenerator[Event], *, silence_s: float = sse.KEEP_ALIVE_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._queued: deque[Event] = deque()
        self._error: ServerError = InternalError("The answer was cut off; please try again.")
        self._has_news = asyncio.Event()
        self._has_capacity = asyncio.Event()
        self._silence_s = silence_s
        self._last_news = self._loop.time()
        self._timer = self._loop.call_later(silence_s, self._look_for_silence)
        self._task = asyncio.create_task(self._pump(events))
        self._task.add_done_callback(self._on_end)

    async def accepted(self) -> Accepted:
        """Wait until the model accepts the request; raises a refusal while it can still have a status."""
        with ExitStack() as unless_accepted:
            unless_accepted.callback(self.cancel)
            event = await self._next_accepted()
            unless_accepted.pop_all()
        return event

    async def accepted_within(self, seconds: float) -> Accepted | None:
        """The same, but None when the model has not accepted by then; ask again to wait on."""
        with ExitStack() as unless_accepted:
            unless_accepted.callback(self.cancel)
            event = None
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    event = await self._next_accepted()
            unless_accepted.pop_all()
        return event

    async def batches(self) -> AsyncGenerator[list[Event]]:
        """What came since the last batch, down to Finished; an empty one after `silence_s` of nothing."""
        is_finished = False
        while not is_finished:
            await self._wait()
            batch = list(self._queued)
            self._queued.clear()
            self._has_capacity.set()
            is_finished = bool(batch) and isinstance(batch[-1], Finished)
            yield batch

    def cancel(self) -> None:
        """Begin to close; a reader that is still there gets an error."""
        self._task.cancel()

    async def aclose(self) -> None:
        self.cancel()
        await asyncio.wait([self._task])

    async def _next_accepted(self) -> Accepted:
        event: Event | None = None
        while not isinstance(event, Accepted):
            await self._wait()
            event = self._queued.popleft() if self._queued else None
            self._has_capacity.set()
        return event

    async def _wait(self) -> None:
        """Return once there are events, or a silence to report; raises what ended the stream."""
        if not self._queued and not self._task.done():
            self._has_news.clear()
            await self._has_news.wait()
        if not self._queued and self._task.done():
            raise self._error

    async def _pump(self, events: AsyncGenerator[Event]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    await self._put(event)
        except Exception as error:  # the boundary: whatever broke, the waiting client gets an error
            self._error = errors.explain(error)

    async def _put(self, event: Event) -> None:
        if len(self._queued) >= _CAPACITY:
            self._has_capacity.clear()
            await self._has_capacity.wait()
        self._queued.append(event)
        self._last_news = self._loop.time()
        self._has_news.set()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._timer.cancel()
        self._has_news.set()

    def _look_for_silence(self) -> None:
        # One timer for the whole stream: a timeout around every single event costs more than the event.
        now = self._loop.time()
        if now - self._last_news >= self._silence_s:
            self._last_news = now
            self._has_news.set()
        self._timer = self._loop.call_at(self._last_news + self._silence_s, self._look_for_silence)
