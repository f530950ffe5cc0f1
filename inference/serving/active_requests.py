"""The requests under way in this process: whose they are, how far they are, and how to end one."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from msgspec import Struct

from inference.core.errors import NotFound, ServerError, StoppedByOperator
from inference.core.events import Event
from inference.serving.recording.request_recorder import RequestRecorder

_STOPPED = "An operator of this server stopped this request."
_GONE = "This request is not under way any more."


class Stream(Struct, frozen=True, kw_only=True):
    """One request under way as it is shown; `done` of `total` where its phase can tell."""

    id: str
    model: str
    principal_kind: str
    principal: str
    kind: str
    phase: str
    began_at: float  # unix time
    prompt_tokens: int = 0
    tokens: int = 0
    done: int = 0
    total: int = 0


class ActiveRequest:
    """A request under way, which whoever knows its id may stop. Lives on the event loop."""

    def __init__(self, watch: RequestRecorder) -> None:
        self.id = secrets.token_hex(8)  # never one that an old page may still know from before a restart
        self.watch = watch
        self.loop = asyncio.get_running_loop()
        self._waiting: asyncio.Task[object] | None = None
        self._reason: ServerError | None = None  # why it has been stopped

    async def next_of(self, events: AsyncGenerator[Event]) -> Event | None:
        """The next event, None after the last; the error it was stopped with once it has been."""
        self._check()
        self._waiting = task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            return await anext(events)
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            # Its reader may leave in the same moment: then that is what ended it.
            if task and self._reason and task.uncancel() <= cancels:
                self._check()
            raise
        finally:
            self._waiting = None

    def stop(self, reason: ServerError) -> None:
        """End it with this error for its reader: at once where it waits, else with its next event."""
        if self._reason:
            return
        self._reason = reason
        if self._waiting:
            self._waiting.cancel()

    def _check(self) -> None:
        if self._reason:
            raise self._reason from None

    def told(self) -> Stream:
        watch, entry = self.watch, self.watch.entry
        return Stream(
            id=self.id,
            model=entry.model,
            principal_kind=entry.principal_kind,
            principal=entry.principal,
            kind=entry.kind,
            phase=watch.phase,
            began_at=entry.at,
            prompt_tokens=entry.prompt_tokens,
            tokens=entry.completion_tokens,
            done=watch.done,
            total=watch.total,
        )


class Streams:
    """All of them; `snapshot` may be called from any thread."""

    def __init__(self) -> None:
        self._running: dict[str, ActiveRequest] = {}
        self._ended_tokens = 0

    @contextmanager
    def open(self, watch: RequestRecorder) -> Iterator[ActiveRequest]:
        """Have this request among them while the block runs."""
        running = ActiveRequest(watch)
        self._running[running.id] = running
        try:
            yield running
        finally:
            del self._running[running.id]
            self._ended_tokens += watch.entry.completion_tokens

    def stop(self, stream_id: str) -> None:
        """End a request; NotFound when it has ended already. Call it on the event loop."""
        if not (running := self._running.get(stream_id)):
            raise NotFound(_GONE)
        running.stop(StoppedByOperator(_STOPPED))

    def dismiss(self, stream_id: str, reason: ServerError) -> None:
        """End a request that may go on no more, from any thread; one that has ended already is well ended."""
        running = self._running.get(stream_id)
        if running and running.loop.is_running():
            running.loop.call_soon_threadsafe(running.stop, reason)

    def snapshot(self) -> tuple[Stream, ...]:
        """Those under way, the oldest first."""
        return tuple(running.told() for running in list(self._running.values()))

    @property
    def tokens(self) -> int:
        """All tokens made since the process started; read it on the event loop."""
        return self._ended_tokens + sum(one.watch.entry.completion_tokens for one in self._running.values())


STREAMS = Streams()
