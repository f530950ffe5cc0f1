"""The requests in progress in this process: their callers, their progress, and how to stop one."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from inference.core.errors import NotFound, ServerError, StoppedByOperator
from inference.core.events import Event
from inference.core.principal import Principal
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_recorder import RequestRecorder

_STOPPED = "An operator of this server stopped this request."
_GONE = "This request is no longer in progress."
_NO_SUCH_ANSWER = "You have no answer in progress with this id; it may have ended."


class StreamView(Struct, frozen=True, kw_only=True):
    """One request in progress as it is shown; `done` of `total` in phases that have a measure."""

    id: str
    model: str
    principal_kind: str
    principal: str
    account: str = ""
    kind: str
    phase: str
    began_at: float  # unix time
    prompt_tokens: int = 0
    tokens: int = 0
    done: int = 0
    total: int = 0


class SpeculationCounts(Struct, frozen=True):
    """Tokens that were drafted for ended requests, and how many of them were accepted."""

    drafted: int = 0
    accepted: int = 0

    def __add__(self, other: "SpeculationCounts") -> "SpeculationCounts":
        return SpeculationCounts(self.drafted + other.drafted, self.accepted + other.accepted)


NO_DRAFTS = SpeculationCounts()


class ActiveRequest:
    """A request in progress, which can be stopped by its id. Lives on the event loop.

    `answer_id` is the id that its client knows. `end_thinking` ends the reasoning of its answers and returns
    of how many; it is None until a model computes them.
    """

    def __init__(self, recorder: RequestRecorder, answer_id: str = "") -> None:
        self.answer_id = answer_id
        self.end_thinking: Callable[[], Awaitable[int]] | None = None
        self.id = secrets.token_hex(8)  # random: an old page may still have ids from before a restart
        self.recorder = recorder
        self.loop = asyncio.get_running_loop()
        self._waiting: asyncio.Task[object] | None = None
        self._reason: ServerError | None = None  # why it has been stopped

    async def next_of(self, events: AsyncGenerator[Event]) -> Event | None:
        """The next event, None after the last; raises the error that the request was stopped with."""
        self._check()
        self._waiting = task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            return await anext(events)
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            # The client may disconnect at the same moment: then that is what ended it.
            if task and self._reason and task.uncancel() <= cancels:
                self._check()
            raise
        finally:
            self._waiting = None

    def is_from(self, principal: Principal) -> bool:
        """Whether this caller has sent it."""
        entry = self.recorder.entry
        return (entry.principal_kind, entry.principal) == (principal.kind, principal.name)

    def stop(self, reason: ServerError) -> None:
        """End it with this error for its client: at once where it waits, else at its next event."""
        if self._reason:
            return
        self._reason = reason
        if self._waiting:
            self._waiting.cancel()

    def _check(self) -> None:
        if self._reason:
            raise self._reason from None

    def as_stream(self) -> StreamView:
        recorder, entry = self.recorder, self.recorder.entry
        return StreamView(
            id=self.id,
            model=entry.model,
            principal_kind=entry.principal_kind,
            principal=entry.principal,
            account=entry.account,
            kind=entry.kind,
            phase=recorder.phase,
            began_at=entry.at,
            prompt_tokens=entry.prompt_tokens,
            tokens=entry.completion_tokens,
            done=recorder.done,
            total=recorder.total,
        )


class Streams:
    """All requests in progress; `snapshot` may be called from any thread."""

    def __init__(self) -> None:
        self._running: dict[str, ActiveRequest] = {}
        self._ended_tokens = 0
        self._ended: asyncio.Future[None] | None = None  # of the next request, while somebody waits for it
        self._drafts: dict[str, SpeculationCounts] = {}  # by the name that requests had for the model

    @contextmanager
    def open(self, recorder: RequestRecorder, answer_id: str = "") -> Iterator[ActiveRequest]:
        """Add a request while the block runs."""
        running = ActiveRequest(recorder, answer_id)
        self._running[running.id] = running
        try:
            yield running
        finally:
            del self._running[running.id]
            if self._ended and not self._ended.done():
                self._ended.set_result(None)
            self._count(recorder.entry)

    def drafts_of(self, model_id: str) -> SpeculationCounts:
        """Those of a model and its adapters since the start of this process."""
        names = tuple(self._drafts.items())  # other threads may ask
        return sum((one for name, one in names if f"{name}:".startswith(f"{model_id}:")), NO_DRAFTS)

    def _count(self, entry: RequestEntry) -> None:
        self._ended_tokens += entry.completion_tokens
        if entry.drafted_tokens:
            drafts = SpeculationCounts(entry.drafted_tokens, entry.accepted_tokens)
            self._drafts[entry.model] = self._drafts.get(entry.model, NO_DRAFTS) + drafts

    async def join(self) -> None:
        """Wait until no request is in progress. Call it on the event loop."""
        while self._running:
            self._ended = asyncio.get_running_loop().create_future()
            await self._ended

    def stop(self, stream_id: str) -> None:
        """Stop a request by an operator; raises NotFound when it has ended. Call it on the event loop."""
        if not (running := self._running.get(stream_id)):
            raise NotFound(_GONE)
        running.stop(StoppedByOperator(_STOPPED))

    async def end_thinking(self, answer_id: str, principal: Principal) -> bool:
        """End the reasoning of an answer in progress, so that its text begins; False where it is not in any.

        Raises NotFound for an answer that has ended, that never was, and that somebody else asked for.
        """
        answers = (one for one in self._running.values() if one.answer_id and one.answer_id == answer_id)
        running = next((one for one in answers if one.is_from(principal)), None)
        if running is None:
            raise NotFound(_NO_SUCH_ANSWER, param="id")
        return running.end_thinking is not None and await running.end_thinking() > 0

    def cancel(self, stream_id: str, reason: ServerError) -> None:
        """End a request with this error, from any thread; without effect when it has ended."""
        running = self._running.get(stream_id)
        if running and running.loop.is_running():
            running.loop.call_soon_threadsafe(running.stop, reason)

    def snapshot(self) -> tuple[StreamView, ...]:
        """The requests in progress, the oldest first."""
        return tuple(running.as_stream() for running in list(self._running.values()))

    @property
    def tokens(self) -> int:
        """All tokens generated since the process started; read it on the event loop."""
        return self._ended_tokens + sum(
            one.recorder.entry.completion_tokens for one in self._running.values()
        )


STREAMS = Streams()
