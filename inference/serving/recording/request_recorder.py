"""Making an entry of a request from the events that pass by, with its words where they may be kept."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from inference.core.errors import InternalError, ServerError
from inference.core.events import (
    Accepted,
    Delta,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from inference.core.principal import Principal
from inference.core.requests import Request
from inference.serving.recording.capture_switch import SWITCH, Switch
from inference.serving.recording.request_entry import RequestEntry

MOST_CHARACTERS = 100_000  # of a prompt, and of an answer, that are kept
_PARTS: dict[type, str] = {TextDelta: "text", ReasoningDelta: "reasoning", ToolCallDelta: "tool call"}


class RequestRecorder:
    """One request under way; `note` is called for every token, so it does next to nothing."""

    def __init__(
        self,
        entry: RequestEntry,
        clock: Callable[[], float] = time.monotonic,
        words: "CapturedText | None" = None,
    ) -> None:
        self.entry = entry
        self._words = words
        self._clock = clock
        self._phase = "queued"
        self._since = clock()
        self._reasons: list[str] = []
        self._is_finished = False
        self.done = self.total = 0  # of what the phase waits for, where it can tell

    @property
    def phase(self) -> str:
        return self._phase

    @property
    def tokens(self) -> int:
        return self.entry.tokens

    def note(self, event: Event) -> None:
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
            self.entry.completion_tokens += event.tokens
            if self._phase != "decode":
                self._enter("decode")
            if self._words:
                self._words.hear(event)
            return
        match event:
            case Progress(phase=phase, done=done, total=total):
                self._enter(phase)
                self.done, self.total = done, total
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
        self.entry.error = error.code if isinstance(error, ServerError) else InternalError.code

    def end(self) -> None:
        """Close the phase that the request ended in."""
        if not self._is_finished:
            self._enter("over")
            self.entry.finish = ", ".join(self._reasons)
            if self._words:
                self._words.keep(self.entry)

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
        self.done = self.total = 0

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


class CapturedText:
    """What was asked and answered, kept only when capture is still on at the end."""

    def __init__(self, request: Request, switch: Switch) -> None:
        self._switch = switch
        self._prompt = msgspec.json.encode(request).decode()[:MOST_CHARACTERS]
        self._room = MOST_CHARACTERS
        self._said: dict[tuple[int, str], list[str]] = {}

    def hear(self, delta: Delta) -> None:
        if self._room > 0:
            self._said.setdefault((delta.index, _PARTS[type(delta)]), []).append(delta.text)
            self._room -= len(delta.text)

    def keep(self, entry: RequestEntry) -> None:
        if self._switch.is_on():
            answers = [
                {"answer": index, "part": part, "text": "".join(texts)}
                for (index, part), texts in self._said.items()
            ]
            entry.prompt, entry.answer = self._prompt, json.dumps(answers, ensure_ascii=False)


@contextmanager
def watched(
    request: Request, principal: Principal, keep: Callable[[RequestEntry], None], switch: Switch = SWITCH
) -> Iterator[RequestRecorder]:
    """Watch one request, and hand its entry to `keep` when it is over, however it ends."""
    entry = RequestEntry(
        at=time.time(),
        principal_kind=principal.kind,
        principal=principal.name,
        model=request.model,
        kind=request.kind,
    )
    watch = RequestRecorder(entry, words=CapturedText(request, switch) if switch.is_on() else None)
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
