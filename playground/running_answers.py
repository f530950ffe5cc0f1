"""Answers in progress: each continues whether or not a page follows it, and is saved as it grows."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from functools import partial
from itertools import repeat
from typing import Any
from uuid import UUID

from inference.api.http import errors, keep_alive, sse
from inference.core.errors import ModelNotFound, QueueFull
from inference.core.events import Event
from inference.core.threads import CATALOG, SAVES
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers
from inference.storage import database_threads
from playground import answer_stream, provenance, requested_models
from playground.answer_claims import AnswerClaims, read_as_answering
from playground.answer_stream import AnswerState
from playground.models import Message

logger = logging.getLogger(__name__)
MAX_RUNNING = 32  # of one visitor
_SAVE_EVERY_S = 1.5  # so that a process that is killed loses at most the last two seconds
_LAST_TRIES_S = (0.1, 0.5, 2.0)  # after a database that was busy when the answer ended
_RETRY_S, _RETRIES = 2.0, 300  # after that, while the disk is full: the text is in memory alone
in_database = partial(database_threads.in_database, threads=SAVES)
_SAVED = ("content", "reasoning", "calls", "status", "error", "error_param", "figures", "tokens")


class RunningAnswer:
    """One answer in progress. Created on the event loop, and used there only.

    Two tasks do the work:

    1. One consumes the events of the generation. It applies each to the answer's state and appends it, as
       an SSE frame, to a list that all readers share.
    2. The other saves the answer every few seconds, and again when the first has ended. The answer counts
       as ended once that save is done, so a page that reads the database afterwards finds all of it. Where
       the disk is full, the answer ends for its readers, and is kept here until it can be saved.

    A reader (`frames`) has an index into the shared list. It waits for one `asyncio.Event`, which is
    replaced at each frame, so a slow reader delays nobody and misses nothing.
    """

    def __init__(self, message: Message, owner: str, events: AsyncGenerator[Event]) -> None:
        self.message = message
        self.owner = owner
        self._state = AnswerState(message)
        self._frames: list[bytes] = []
        self._changed = asyncio.Event()
        self._saved = dict.fromkeys(_SAVED)
        self._has_ended = asyncio.Event()
        self._consuming = asyncio.create_task(self._consume(events))
        self._saving = asyncio.create_task(self._save_until_ended())

    def stop(self) -> None:
        """Cancel the generation; the answer keeps the text it has."""
        self._consuming.cancel()

    def on_saved(self, callback: Callable[[], object]) -> None:
        """Call `callback` once the answer has ended and is saved."""
        self._saving.add_done_callback(lambda _: callback())

    async def join(self) -> None:
        """Wait until it has ended and is saved, or until a save has failed for good."""
        await self._has_ended.wait()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; one that has may still wait to be saved."""
        return not self._has_ended.is_set()

    @property
    def is_done(self) -> bool:
        """Whether it reached its own end: not stopped and not failed."""
        return self._state.is_done

    @property
    def payload(self) -> dict[str, Any]:
        return self._state.payload

    async def frames(self) -> AsyncGenerator[bytes]:
        """The answer so far, then each event as it comes, then the whole answer."""
        position = len(self._frames)  # before the first part is sent: more frames may come while that takes
        yield sse.OPENED + answer_stream.answer_frame(self.payload)
        while self.is_running:
            changed = self._changed
            if position < len(self._frames):
                batch, position = self._frames[position:], len(self._frames)
                yield b"".join(batch)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), keep_alive.INTERVAL_S)
            if position == len(self._frames) and self.is_running:
                yield sse.KEEP_ALIVE
        yield b"".join(self._frames[position:]) + answer_stream.answer_frame(self.payload)

    async def _consume(self, events: AsyncGenerator[Event]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._state.apply(event)
                    self._publish(answer_stream.event_frame(event))
                self._state.add_provenance(await CATALOG.run(provenance.of, self.message.model))
        except asyncio.CancelledError:
            self._state.stop()
        except ModelNotFound:
            self._state.fail(requested_models.gone_error(self.message.model))
        except Exception as error:  # the boundary: whatever broke, the page shows a message
            self._state.fail(errors.explain(error))

    def _publish(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._wake_readers()

    def _wake_readers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _save_until_ended(self) -> None:
        """Save it every few seconds and once it has ended; only then do readers get the end."""
        has_ended = is_saved = False
        try:
            while not has_ended:
                await asyncio.wait([self._consuming], timeout=_SAVE_EVERY_S)
                has_ended = self._consuming.done()
                is_saved = await self._save()
            is_saved = is_saved or await self._save_again(_LAST_TRIES_S)
        finally:
            self._has_ended.set()
            self._wake_readers()
        if not is_saved:
            await self._save_again(repeat(_RETRY_S, _RETRIES))

    async def _save_again(self, pauses: Iterable[float]) -> bool:
        """Try to save after each pause: nothing else would save it any more."""
        for pause in pauses:
            await asyncio.sleep(pause)
            if await self._save():
                return True
        return False

    async def _save(self) -> bool:
        """Save the fields if they have changed; False when that failed."""
        payload = self.payload  # joins all pieces each time it is read
        fields = {name: payload[name] for name in _SAVED}
        if fields == self._saved:
            return True
        try:
            rows = await in_database(lambda: Message.objects.filter(pk=self.message.pk).update(**fields))
        except Exception:  # the reader has the answer all the same; the next save may succeed
            logger.exception("An answer could not be saved")
            return False
        if not rows:  # it was deleted, perhaps with its conversation or its owner
            self.stop()
        self._saved = fields
        return True


class RunningAnswers:
    """Every answer in progress here, by the id of its message; `claims` has those of all fronts."""

    def __init__(
        self, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._answers: dict[int, RunningAnswer] = {}
        self.claims = AnswerClaims(self._conversations_of, find_front, handlers)

    @property
    def count(self) -> int:
        return len(self._answers)

    def start(self, message: Message, owner: str, events: AsyncGenerator[Event]) -> RunningAnswer:
        """Consume `events` into a claimed `message`; the answer leaves this table once it is saved."""
        answer = RunningAnswer(message, owner, events)
        self._answers[message.pk] = answer
        answer.on_saved(lambda: self._end(message.pk, owner))
        self.claims.publish(owner)
        return answer

    async def claim(self, message: Message, owner: str) -> bool:
        """Keep other fronts from making this answer, which begins now; False where it is made already.

        Start it without waiting for anything else: until then another window can claim it here, too.
        """
        is_taken = await self.claims.take(message.pk, owner, str(message.conversation_id))
        return is_taken and message.pk not in self._answers

    def _conversations_of(self, owner: str) -> list[str]:
        """The ids of the conversations in which this visitor's answers are in progress here."""
        answers = (answer for answer in self._answers.values() if answer.owner == owner)
        return sorted({str(answer.message.conversation_id) for answer in answers})

    def _end(self, message: int, owner: str) -> None:
        self._answers.pop(message, None)
        self.claims.end(message, owner)

    def get(self, message: int) -> RunningAnswer | None:
        return self._answers.get(message)

    def stop_conversation(self, conversation: UUID) -> None:
        """Stop every answer of a conversation that is deleted."""
        for answer in self._answers.values():
            if answer.message.conversation_id == conversation:
                answer.stop()

    async def check_limit(self, owner: str) -> None:
        """Raise QueueFull when this visitor has too many answers in progress."""
        running = [answer for answer in self._answers.values() if answer.owner == owner]
        if len(running) + len(await self.claims.of(owner)) >= MAX_RUNNING:
            raise QueueFull("You have many answers in progress; stop one or wait.", retry_after=5)

    async def elsewhere(self, messages: Iterable[dict[str, Any]]) -> frozenset[int]:
        """The ids of those that were read as in progress, and are made by other fronts."""
        return await self.claims.among(one for one in read_as_answering(messages) if one not in self._answers)

    def has_ended_since(self, messages: Iterable[dict[str, Any]], elsewhere: frozenset[int]) -> bool:
        """Whether a message was read as being answered, and its answer is not in progress any more."""
        return any(one not in self._answers and one not in elsewhere for one in read_as_answering(messages))

    def with_progress(self, messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Messages whose answers have only just been started, with their text so far."""
        return [answer.payload if (answer := self.get(one["id"])) else one for one in messages]

    def reconciled(
        self, messages: Iterable[dict[str, Any]], elsewhere: frozenset[int]
    ) -> list[dict[str, Any]]:
        """Messages from the database with the text so far of those in progress.

        An answer that the database has as in progress, and no process does, was interrupted by the end of its
        server: it counts as stopped.
        """
        return [self._reconciled(message, elsewhere) for message in messages]

    def _reconciled(self, message: dict[str, Any], elsewhere: frozenset[int]) -> dict[str, Any]:
        if message["status"] != "answering" or message["id"] in elsewhere:
            return message
        answer = self.get(message["id"])
        return answer.payload if answer else {**message, "status": "stopped"}


RUNNING_ANSWERS = RunningAnswers()
