"""A request's events on their way to a streamed response; keep_alive.py sends what is made of them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, suppress
from types import MappingProxyType

from inference.api.http import errors, field_names
from inference.core.errors import InternalError, ServerError
from inference.core.events import Accepted, Event, Finished

_CAPACITY = 256
_SAME_NAMES: field_names.Names = MappingProxyType({})


class EventFeed:
    """Events pumped by one task of their own, so that a reader can stop waiting without disturbing them.

    Use it as `await feed.accepted()`, then `async for events in feed.batches()`. `aclose` cancels the request
    at any point. Errors have the field names of the body that was sent: `names`, as in field_names.py. Must
    be made on the running loop.
    """

    def __init__(self, events: AsyncGenerator[Event], names: field_names.Names = _SAME_NAMES) -> None:
        self._names = names
        self._queued: deque[Event] = deque()
        self._error: ServerError = InternalError("The answer was cut off; please try again.")
        self._has_news = asyncio.Event()
        self._has_capacity = asyncio.Event()
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
        """What came since the last batch, down to Finished; perhaps an empty one after `wake`."""
        is_finished = False
        while not is_finished:
            await self._wait()
            batch = list(self._queued)
            self._queued.clear()
            self._has_capacity.set()
            is_finished = bool(batch) and isinstance(batch[-1], Finished)
            yield batch

    def wake(self) -> None:
        """Have a reader that waits for events look up."""
        self._has_news.set()

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
        """Return once there are events, or after `wake`; raises what ended the stream."""
        if not self._queued and not self._task.done():
            self._has_news.clear()
            await self._has_news.wait()
        if not self._queued and self._task.done():
            raise field_names.renamed(self._error, self._names)

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
        self._has_news.set()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._has_news.set()
