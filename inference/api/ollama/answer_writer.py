"""From events to an answer of /api/chat or /api/generate: lines of JSON, or one object."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from inference.api.http import errors, keep_alive
from inference.api.http.event_feed import EventFeed
from inference.api.ollama.answer_fields import (
    AnswerFields,
    Calls,
    Json,
    call_objects,
    calls_left_as_text,
    logprob_fields,
    timestamp,
)
from inference.api.openai.response_writer import calls_of, text_of
from inference.core.errors import InternalError, ServerError
from inference.core.events import (
    Accepted,
    Delta,
    Ended,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)

_NANOSECONDS = 10**9


class AnswerWriter:
    """One answer, in either of its forms; durations count from when it is made."""

    def __init__(
        self,
        model: str,
        fields: AnswerFields,
        *,
        on_accepted: Callable[[Accepted], object] = bool,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._model = model
        self._fields = fields
        self._on_accepted = on_accepted
        self._clock = clock
        self._began_at = clock()
        self._accepted_at: float | None = None
        self._open_call: list[ToolCallDelta] = []  # of the call that has not ended
        self._reason: FinishReason = "stop"

    async def stream(self, feed: EventFeed) -> AsyncGenerator[bytes]:
        """Begin the answer as an object on each line, one without text after each silence.

        Raises a refusal of the first seconds; any later error is the last line.
        """
        return self._lines(await keep_alive.stream(self, feed))

    async def _lines(self, lines: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        async with aclosing(lines):
            try:
                async for line in lines:
                    yield line
            except ServerError as error:
                yield errors.encode_as_text(error) + b"\n"

    def begin(self, accepted: Accepted) -> bytes:
        self._accept(accepted)
        return self._piece()

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(line for event in events for line in self._lines_of(event))

    def fill(self) -> bytes:
        return self._piece()

    async def whole(self, events: AsyncGenerator[Event]) -> bytes:
        """The answer as one object."""
        deltas: list[Delta] = []
        async with aclosing(events):
            async for event in events:
                match event:
                    case Accepted():
                        self._accept(event)
                    case TextDelta() | ReasoningDelta() | ToolCallDelta():
                        deltas.append(event)
                    case Ended():
                        self._reason = event.reason
                    case Finished():
                        return self._whole(deltas, event)
        raise InternalError("The answer was cut off; please try again.")

    def _accept(self, event: Accepted) -> None:
        self._accepted_at = self._clock()
        self._on_accepted(event)

    def _lines_of(self, event: Event) -> Iterator[bytes]:
        if self._open_call and _ends_call(event, self._open_call):
            yield from self._called(is_cut=isinstance(event, Ended) and event.reason == "length")
        match event:
            case ToolCallDelta():
                self._open_call.append(event)
            case TextDelta() | ReasoningDelta() if event.text or event.logprobs:
                thinking = isinstance(event, ReasoningDelta)
                text, thought = ("", event.text) if thinking else (event.text, "")
                yield self._piece(text, thought, logprobs=event.logprobs)
            case Ended():
                self._reason = event.reason
            case Finished():
                yield self._line(self._fields("", "", []) | self._ending(event))

    def _called(self, *, is_cut: bool) -> Iterator[bytes]:
        """The call that has just ended, whole: Ollama has no pieces of one."""
        calls = calls_of(self._open_call)
        self._open_call = []
        text, made = "" if is_cut else calls_left_as_text(calls), call_objects(calls)
        if text or made:
            yield self._piece(text, calls=made)

    def _piece(
        self, text: str = "", thinking: str = "", calls: Calls | None = None, logprobs: Any = ()
    ) -> bytes:
        made = self._fields(text, thinking, calls or []) | {"done": False}
        return self._line(made | logprob_fields(logprobs))

    def _whole(self, deltas: Sequence[Delta], finished: Finished) -> bytes:
        calls = calls_of(deltas)
        left = "" if self._reason == "length" else calls_left_as_text(calls)
        fields = self._fields(
            text_of(deltas, TextDelta) + left,
            text_of(deltas, ReasoningDelta),
            call_objects(calls),
        )
        tokens = [token for delta in deltas for token in delta.logprobs]
        return self._line(fields | self._ending(finished) | logprob_fields(tokens))

    def _ending(self, finished: Finished) -> Json:
        now = self._clock()
        loaded_at = now if self._accepted_at is None else self._accepted_at
        return {
            "done": True,
            "done_reason": "length" if self._reason == "length" else "stop",
            "total_duration": _nanoseconds(now - self._began_at),
            "load_duration": _nanoseconds(loaded_at - self._began_at),
            "prompt_eval_count": finished.usage.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(finished.timings.prefill_s),
            "eval_count": finished.usage.completion_tokens,
            "eval_duration": _nanoseconds(finished.timings.decode_s),
        }

    def _line(self, fields: Json) -> bytes:
        head = {"model": self._model, "created_at": timestamp(time.time())}
        return msgspec.json.encode(head | fields) + b"\n"


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)


def _ends_call(event: Event, call: Sequence[ToolCallDelta]) -> bool:
    is_next = isinstance(event, ToolCallDelta) and event.call != call[-1].call
    return is_next or isinstance(event, TextDelta | ReasoningDelta | Ended | Finished)
