"""A request's events on their way to a streamed response."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing

from inference.errors import InternalError, ServerError
from inference.openai import errors, sse
from inference.types import Accepted, Event, Finished

_ROOM = 256


class Feed:
    """Events pumped by one task of their own, so that silence can be noticed without disturbing them.

    Use it as `await feed.accepted()`, then `async for event in feed`, which also yields None whenever nothing
    came for `silence_s`. `aclose` cancels the request at any point. Must be made on the running loop.
    """

    def __init__(self, events: AsyncGenerator[Event], *, silence_s: float = sse.KEEP_ALIVE_S) -> None:
        self._queue: asyncio.Queue[Event | ServerError] = asyncio.Queue(_ROOM)
        self._silence_s = silence_s
        self._task = asyncio.create_task(self._pump(events))

    async def accepted(self) -> Accepted:
        """Wait until the model accepts the request; raises a refusal while a status can still tell it."""
        with ExitStack() as unless_accepted:
            unless_accepted.callback(self.cancel)
            event: Event | None = None
            while not isinstance(event, Accepted):
                event = await self._next()
            unless_accepted.pop_all()
        return event

    async def __aiter__(self) -> AsyncIterator[Event | None]:
        event: Event | None = None
        while not isinstance(event, Finished):
            event = await self._next()
            yield event

    def cancel(self) -> None:
        """Begin to close; a reader that is still there is told that the answer broke off."""
        self._task.cancel()

    async def aclose(self) -> None:
        self.cancel()
        await asyncio.wait([self._task])

    async def _next(self) -> Event | None:
        if self._queue.empty():
            try:
                async with asyncio.timeout(self._silence_s):
                    item = await self._queue.get()
            except TimeoutError:
                if self._task.done():
                    raise InternalError("The answer broke off; please ask again.") from None
                return None
        else:
            item = self._queue.get_nowait()
        if isinstance(item, ServerError):
            raise item
        return item

    async def _pump(self, events: AsyncGenerator[Event]) -> None:
        last: Event | None = None
        try:
            async with aclosing(events):
                async for last in events:
                    await self._queue.put(last)
        except Exception as error:  # the boundary: whatever broke, the waiting client is told
            await self._queue.put(errors.explain(error))
        else:
            if not isinstance(last, Finished):
                await self._queue.put(InternalError("The answer broke off; please ask again."))
