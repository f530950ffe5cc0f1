"""Making an entry of a request from the events that pass by."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inference.errors import ServerError
from inference.recording.entry import Entry
from inference.requests import Request
from inference.types import (
    Accepted,
    Ended,
    Event,
    Finished,
    Principal,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)

_DELTAS = (TextDelta, ReasoningDelta, ToolCallDelta)


class Watch:
    """One request under way; `note` is called for every token, so it does next to nothing."""

    def __init__(self, entry: Entry, clock: Callable[[], float] = time.monotonic) -> None:
        self.entry = entry
        self._clock = clock
        self._phase = "queued"
        self._since = clock()
        self._reasons: list[str] = []
        self._is_finished = False

    @property
    def tokens(self) -> int:
        return self.entry.tokens

    def note(self, event: Event) -> None:
        if isinstance(event, _DELTAS):
            self.entry.completion_tokens += event.tokens
            if self._phase != "decode":
                self._enter("decode")
            return
        match event:
            case Progress(phase=phase):
                self._enter(phase)
            case Accepted(prompt_tokens=tokens):
                self.entry.prompt_tokens = tokens
                self._enter("prefill")
            case Ended(reason=reason):
                self._reasons.append(reason)
            case Finished():
                self._finish(event)

    def leave(self) -> None:
        self.entry.has_left = not self._is_finished

    def fail(self, error: Exception) -> None:
        self.entry.error = error.code if isinstance(error, ServerError) else type(error).__name__

    def end(self) -> None:
        """Close the phase that the request ended in."""
        if not self._is_finished:
            self._enter("over")
            self.entry.finish = ", ".join(self._reasons)

    def _enter(self, phase: str) -> None:
        now = self._clock()
        spent = now - self._since
        match self._phase:
            case "queued":
                self.entry.queued_s += spent
            case "loading":
                self.entry.loading_s += spent
            case "prefill":
                self.entry.prefill_s += spent
            case "decode":
                self.entry.decode_s += spent
        self._phase, self._since = phase, now

    def _finish(self, finished: Finished) -> None:
        self.end()
        self._is_finished = True
        entry, usage, timings = self.entry, finished.usage, finished.timings
        entry.prompt_tokens, entry.completion_tokens = usage.prompt_tokens, usage.completion_tokens
        entry.cached_tokens = usage.cached_tokens
        # The worker's clock knows better, and tells its queue from its prefill.
        entry.queued_s += timings.queue_s
        entry.prefill_s = timings.prefill_s or entry.prefill_s
        entry.decode_s = timings.decode_s or entry.decode_s


@contextmanager
def watched(request: Request, principal: Principal, keep: Callable[[Entry], None]) -> Iterator[Watch]:
    """Watch one request, and hand its entry to `keep` when it is over, however it ends."""
    entry = Entry(
        at=time.time(),
        principal_kind=principal.kind,
        principal=principal.name,
        model=request.model,
        kind=type(request).__name__.removesuffix("Request").lower(),
    )
    watch = Watch(entry)
    try:
        yield watch
    except (GeneratorExit, asyncio.CancelledError):
        watch.leave()
        raise
    except Exception as error:
        watch.fail(error)
        raise
    finally:
        watch.end()
        keep(entry)
