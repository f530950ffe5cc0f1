"""Recording of requests: an entry made from a request's events, with its text during a capture."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from inference.core import request_id, request_origin
from inference.core.errors import InternalError, ServerError
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from inference.core.picture_placeholders import without_pictures
from inference.core.principal import Principal
from inference.core.request_origin import RequestOrigin
from inference.core.requests import Request
from inference.serving.recording.capture_switch import SWITCH, Switch
from inference.serving.recording.request_entry import RequestEntry

MOST_CHARACTERS = 100_000  # of a prompt, and of an answer, that are kept
_PARTS: dict[type, str] = {TextDelta: "text", ReasoningDelta: "reasoning", ToolCallDelta: "tool call"}


class RequestRecorder:
    """One request in progress; its entry is complete after `end`.

    `captured` observes the same events, and is None while no capture is on. `origin` is what is known of the
    HTTP request.
    """

    def __init__(
        self,
        entry: RequestEntry,
        clock: Callable[[], float] = time.monotonic,
        captured: "CapturedText | None" = None,
        origin: RequestOrigin | None = None,
    ) -> None:
        self.entry = entry
        self.captured = captured
        self._origin = origin or RequestOrigin()
        self._clock = clock
        self._phase = "queued"
        self._since = clock()
        self._reasons: list[str] = []
        self._is_finished = False
        self.done = self.total = 0  # in phases that have a measure

    @property
    def phase(self) -> str:
        return self._phase

    @property
    def tokens(self) -> int:
        return self.entry.tokens

    def note(self, event: Event) -> None:
        """Count tokens, and the seconds of each phase."""
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
            self.entry.completion_tokens += event.tokens
            if self._phase != "decode":
                self._enter("decode")
            return
        match event:
            case Progress(phase=phase, done=done, total=total, own=own):
                self._enter(phase)
                self.done, self.total = done, total
                if phase == "queued":
                    self._wait(done, own)
            case Accepted(prompt_tokens=tokens, noted=noted):
                self.entry.prompt_tokens = tokens
                self.entry.noted = self._origin.noted_with(noted)
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
            if self.captured:
                self.captured.store(self.entry)

    def _wait(self, place: int, own: int) -> None:
        """Keep the first place in the queue, and the most that it was behind in its account."""
        self.entry.queue_place = self.entry.queue_place or place
        self.entry.own_ahead = max(self.entry.own_ahead, own)

    def _enter(self, phase: str) -> None:
        now = self._clock()
        spent = now - self._since
        match self._phase:
            case "queued":
                self.entry.queued_s += spent
            case "paused":
                self.entry.paused_s += spent
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
        entry.drafted_tokens, entry.accepted_tokens = usage.drafted_tokens, usage.accepted_tokens
        if finished.cut_by:
            entry.finish += f" ({finished.cut_by})"
        # The worker's clock is more exact, and separates its queue from its prefill.
        entry.queued_s += timings.queue_s
        entry.prefill_s = timings.prefill_s or entry.prefill_s
        entry.decode_s = timings.decode_s or entry.decode_s
        entry.paused_s = timings.paused_s or entry.paused_s


class CapturedText:
    """The text of a request and its answers, stored only if the capture is still on at the end."""

    def __init__(self, request: Request, switch: Switch) -> None:
        self._switch = switch
        self._prompt = msgspec.json.encode(without_pictures(request)).decode()[:MOST_CHARACTERS]
        self._characters_left = MOST_CHARACTERS
        self._texts: dict[tuple[int, str], list[str]] = {}

    def note(self, event: Event) -> None:
        """Keep the text of a delta."""
        if self._characters_left > 0 and isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
            self._texts.setdefault((event.index, _PARTS[type(event)]), []).append(event.text)
            self._characters_left -= len(event.text)

    def store(self, entry: RequestEntry) -> None:
        """Put the texts into the entry, if the capture is still on."""
        if self._switch.is_on():
            answers = [
                {"answer": index, "part": part, "text": "".join(texts)}
                for (index, part), texts in self._texts.items()
            ]
            entry.prompt, entry.answer = self._prompt, json.dumps(answers, ensure_ascii=False)


@contextmanager
def recorded(
    request: Request,
    principal: Principal,
    keep: Callable[[RequestEntry], None],
    switch: Switch = SWITCH,
    kind: str = "",
) -> Iterator[RequestRecorder]:
    """Record one request, and pass its entry to `keep` when it is over, however it ends.

    `kind` stands in the record in place of the request's own.
    """
    origin = request_origin.current()
    entry = RequestEntry(
        at=time.time(),
        principal_kind=principal.kind,
        principal=principal.name,
        account=principal.account,
        model=request.model,
        kind=kind or request.kind,
        dialect=origin.dialect,
        request_id=request_id.current(),
    )
    captured = CapturedText(request, switch) if switch.is_on() else None
    recorder = RequestRecorder(entry, captured=captured, origin=origin)
    try:
        yield recorder
    except (GeneratorExit, asyncio.CancelledError):
        recorder.leave()
        raise
    except Exception as error:
        recorder.fail(error)
        raise
    finally:
        recorder.end()
        entry.noted = entry.noted or origin.noted
        keep(entry)
