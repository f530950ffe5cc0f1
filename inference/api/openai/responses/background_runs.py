"""Responses in the background: each goes on without its client, and can be read, followed and cancelled.

They live in this process, which claims them where fronts share a Redis (runs_elsewhere.py). What is stored
says `queued` or `in_progress` until they end; a response that is stored so, is not among them and that no
front has claimed, has lost its server, and has failed (response_store.py).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from typing import Any

from inference.api.http import errors, keep_alive, sse
from inference.api.http.field_names import in_names_of
from inference.api.openai.responses.output_items import StreamEvent
from inference.api.openai.responses.response_run import ResponseRun
from inference.core.errors import InternalError, QueueFull
from inference.core.events import Accepted, Event, Finished
from inference.fronts.claims import Claims
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers
from inference.storage.response_store import UNFINISHED

logger = logging.getLogger(__name__)
MOST_RUNS = 64  # of one principal
_BUSY_RETRY_S = 5.0


class BackgroundRun:
    """One response under way. Made on the event loop, once it is stored, and used there only."""

    def __init__(self, run: ResponseRun, owner: str, events: AsyncGenerator[Event]) -> None:
        self.id = run.id
        self.owner = owner
        self._run = run
        self._frames: list[tuple[int, bytes]] = []  # each with the number of its event
        self._news = asyncio.Event()
        self._has_started = False
        self._is_over = False
        self._silence = keep_alive.Silence(keep_alive.INTERVAL_S)
        self._publish(run.writer.begin())
        self.task = asyncio.create_task(self._follow(events))

    @property
    def whole(self) -> dict[str, Any]:
        return self._run.writer.whole

    async def shown(self) -> dict[str, Any]:
        """What it is now; one that has ended is shown once it is stored, so that others can go on from it."""
        if self.whole["status"] not in UNFINISHED:
            await asyncio.wait([self.task])
        return self.whole

    async def cancel(self) -> None:
        """End it with what it has, and return once that is stored."""
        self.task.cancel()
        await asyncio.wait([self.task])

    async def frames(self, after: int = -1) -> AsyncGenerator[bytes]:
        """The events whose numbers are above `after`, those still to come as well, and [DONE]."""
        place = 0
        yield sse.OPENED
        while True:
            news, is_over = self._news, self._is_over
            batch, place = self._frames[place:], len(self._frames)
            if data := b"".join(frame for number, frame in batch if number > after):
                yield data
            if is_over:
                break
            if place == len(self._frames):
                await news.wait()
        yield sse.DONE

    async def _follow(self, events: AsyncGenerator[Event]) -> None:
        try:
            with self._silence.watched(self._beat):
                await self._note_all(events)
            last = self._run.writer.end()
        except asyncio.CancelledError:
            last = self._run.writer.cancel()
        except Exception as error:  # the boundary: whatever broke, the response says it
            last = self._run.writer.fail(errors.explain(error))
        try:
            await self._run.keep({"was_queued_only": not self._has_started})
        except Exception:  # clients that follow it still have the answer
            logger.exception("A response in the background could not be stored")
        await self._run.release()
        self._is_over = True
        self._publish([last])

    async def _note_all(self, events: AsyncGenerator[Event]) -> None:
        is_finished = False
        with in_names_of(self._run.field_names):
            async with aclosing(events):
                async for event in events:
                    self._publish(self._run.writer.note(event))
                    if isinstance(event, Accepted) and not self._has_started:
                        self._has_started = True
                        self._publish(self._run.writer.start())
                    is_finished = isinstance(event, Finished)
        if not is_finished:
            raise InternalError("The answer was cut off; please try again.")

    def _beat(self) -> None:
        """Fill a silence for all who follow it."""
        if events := list(self._run.writer.beat()):
            self._run.numbered.beat()
            self._publish(events)

    def _publish(self, events: Iterable[StreamEvent]) -> None:
        place = len(self._frames)
        for event in events:
            number = self._run.numbered.count
            self._frames.append((number, self._run.numbered.framed([event])))
        if len(self._frames) > place:
            self._silence.restart()
        self._news.set()
        self._news = asyncio.Event()


class BackgroundRuns:
    """Every response in the background of this process; `claims` has those of all fronts, by their owners."""

    def __init__(
        self, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._runs: dict[str, BackgroundRun] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.claims = Claims("response", find_front, handlers)

    async def check(self, owner: str) -> None:
        """Raise QueueFull where this principal has as many as it may; where the Redis is lost, of here."""
        count = sum(run.owner == owner for run in self._runs.values())
        with suppress(RedisLost):
            count += sum(claim.about == owner for claim in (await self.claims.elsewhere()).values())
        if count >= MOST_RUNS:
            raise QueueFull(
                f"{MOST_RUNS} of your responses are running in the background; wait until one of them has "
                "ended.",
                retry_after=_BUSY_RETRY_S,
            )

    async def begin(self, run: ResponseRun, owner: str, events: AsyncGenerator[Event]) -> BackgroundRun:
        """Go on with a response that is stored already; where the Redis is lost, it is claimed later."""
        with suppress(RedisLost):
            await self.claims.take(run.id, owner)
        made = BackgroundRun(run, owner, events)
        self._runs[made.id] = made
        made.task.add_done_callback(lambda _: self._end(made.id))
        return made

    def _end(self, response_id: str) -> None:
        self._runs.pop(response_id, None)
        task = asyncio.create_task(self.claims.give_back(response_id))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def find(self, owner: str, response_id: str) -> BackgroundRun | None:
        """One that is under way; None for those of others as well."""
        found = self._runs.get(response_id)
        return found if found and found.owner == owner else None


RUNS = BackgroundRuns()
