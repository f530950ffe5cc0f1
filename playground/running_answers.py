"""Answers under way: each goes on whether or not a page is looking, and is saved as it grows."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from inference.api.http import errors, sse
from inference.core.errors import QueueFull
from inference.core.events import Event
from inference.core.threads import CATALOG, SAVES
from inference.storage import database_threads
from playground import answer_stream, provenance
from playground.answer_stream import Answer
from playground.models import Message

logger = logging.getLogger(__name__)
MOST_RUNS = 32  # of one visitor
_SAVE_EVERY_S = 2.0
_LAST_TRIES_S = (0.1, 0.5, 2.0)  # after a database that was busy when the answer ended
in_database = partial(database_threads.in_database, threads=SAVES)
_SAVED = ("content", "reasoning", "calls", "status", "error", "figures", "tokens")


class Run:
    """One answer under way. Made on the event loop, and used there only."""

    def __init__(self, message: Message, owner: str, asked: AsyncGenerator[Event]) -> None:
        self.message = message
        self.owner = owner
        self._answer = Answer(message)
        self._frames: list[bytes] = []
        self._news = asyncio.Event()
        self._saved = dict.fromkeys(_SAVED)
        self._task = asyncio.create_task(self._follow(asked))
        self._saving = asyncio.create_task(self._save_on())

    def stop(self) -> None:
        """End it with what it has said."""
        self._task.cancel()

    def at_end(self, act: Callable[[], object]) -> None:
        """Call `act` once it has ended and is saved."""
        self._saving.add_done_callback(lambda _: act())

    async def join(self) -> None:
        await asyncio.wait([self._task, self._saving])

    @property
    def is_done(self) -> bool:
        """Whether it came to its own end."""
        return self._answer.is_done

    @property
    def told(self) -> dict[str, Any]:
        return self._answer.told

    async def frames(self) -> AsyncGenerator[bytes]:
        """All that was said so far, then what comes, then the whole answer."""
        place = len(self._frames)  # before the first part is sent: more may be said while that takes
        yield sse.OPENED + answer_stream.whole(self.told)
        while not self._saving.done():
            news = self._news
            if place < len(self._frames):
                batch, place = self._frames[place:], len(self._frames)
                yield b"".join(batch)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), sse.KEEP_ALIVE_S)
            if place == len(self._frames) and not self._saving.done():
                yield sse.KEEP_ALIVE
        yield b"".join(self._frames[place:]) + answer_stream.whole(self.told)

    async def _follow(self, asked: AsyncGenerator[Event]) -> None:
        try:
            async with aclosing(asked):
                async for event in asked:
                    self._answer.note(event)
                    self._tell(answer_stream.frame(event))
                self._answer.know(await CATALOG.run(provenance.of, self.message.model))
        except asyncio.CancelledError:
            self._answer.stop()
        except Exception as error:  # the boundary: whatever broke, the page is told in words
            self._answer.fail(errors.explain(error))

    def _tell(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _save_on(self) -> None:
        """Save it every few seconds, and once it has ended; readers are let go only then."""
        has_ended = is_saved = False
        while not has_ended:
            await asyncio.wait([self._task], timeout=_SAVE_EVERY_S)
            has_ended = self._task.done()
            is_saved = await self._save()
        for pause in _LAST_TRIES_S:  # nothing else would save it any more
            if is_saved:
                break
            await asyncio.sleep(pause)
            is_saved = await self._save()
        self._wake()

    async def _save(self) -> bool:
        """Save what is new of it; False when that failed."""
        told = self.told  # made of all its pieces each time it is asked for
        facts = {name: told[name] for name in _SAVED}
        if facts == self._saved:
            return True
        try:
            await in_database(lambda: Message.objects.filter(pk=self.message.pk).update(**facts))
        except Exception:  # the reader has the answer all the same; the next save may go better
            logger.exception("An answer could not be saved")
            return False
        self._saved = facts
        return True


class Runs:
    """Every answer under way in this process."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}

    @property
    def count(self) -> int:
        return len(self._runs)

    def begin(self, message: Message, owner: str, asked: AsyncGenerator[Event]) -> Run:
        run = Run(message, owner, asked)
        self._runs[message.pk] = run
        run.at_end(lambda: self._runs.pop(message.pk, None))
        return run

    def of(self, message: int) -> Run | None:
        return self._runs.get(message)

    def check_room(self, owner: str) -> None:
        """QueueFull when this visitor has too many answers under way."""
        if sum(run.owner == owner for run in self._runs.values()) >= MOST_RUNS:
            raise QueueFull("You have many answers under way; stop one or wait.", retry_after=5)

    def misses(self, messages: Iterable[dict[str, Any]]) -> bool:
        """Whether one of them is being said, as it was read, and nothing says it."""
        return any(one["status"] == "answering" and one["id"] not in self._runs for one in messages)

    def current(self, messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Messages that have only just been begun, with what they say by now."""
        return [run.told if (run := self.of(one["id"])) else one for one in messages]

    def settled(self, messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Messages as they are now: an answer of which nothing runs any more was cut off with its server."""
        return [self._settled(message) for message in messages]

    def _settled(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["status"] != "answering":
            return message
        run = self.of(message["id"])
        return run.told if run else {**message, "status": "stopped"}


RUNS = Runs()
