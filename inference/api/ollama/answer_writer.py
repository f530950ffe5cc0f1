"""From events to an answer of /api/chat or /api/generate: lines of JSON, or one object."""

import json
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec

from inference.api.http import errors
from inference.api.http.event_feed import EventFeed
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
    TokenLogprob,
    ToolCallDelta,
)
from inference.core.requests import ToolCall

_NANOSECONDS = 10**9
Json = dict[str, Any]
Calls = list[Json]
# What an endpoint makes of text, reasoning and calls.
AnswerFields = Callable[[str, str, Calls], Json]


def chat_fields(text: str, thinking: str, calls: Calls) -> Json:
    """The answer of /api/chat."""
    message: Json = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = calls
    return {"message": message}


def generate_fields(text: str, thinking: str, calls: Calls) -> Json:
    """The answer of /api/generate, which offers no tools."""
    return {"response": text, "thinking": thinking} if thinking else {"response": text}


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

    def accepted(self, event: Accepted) -> None:
        """Begin the answer; what its headers tell can still be told."""
        self._accepted_at = self._clock()
        self._on_accepted(event)

    async def lines(self, feed: EventFeed) -> AsyncGenerator[bytes]:
        """An object on each line; an error is the last of them. Silence brings an empty piece."""
        async with aclosing(feed):
            yield self._piece()
            try:
                async for batch in feed.batches():
                    made = b"".join(line for event in batch for line in self._lines_of(event))
                    if made or not batch:
                        yield made or self._piece()
            except ServerError as error:
                yield errors.encode_as_text(error) + b"\n"

    async def whole(self, events: AsyncGenerator[Event]) -> bytes:
        """The answer as one object."""
        deltas: list[Delta] = []
        async with aclosing(events):
            async for event in events:
                match event:
                    case Accepted():
                        self.accepted(event)
                    case TextDelta() | ReasoningDelta() | ToolCallDelta():
                        deltas.append(event)
                    case Ended():
                        self._reason = event.reason
                    case Finished():
                        return self._whole(deltas, event)
        raise InternalError("The answer broke off; please ask again.")

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
        text, made = "" if is_cut else _left_as_text(calls), _objects(calls)
        if text or made:
            yield self._piece(text, calls=made)

    def _piece(
        self, text: str = "", thinking: str = "", calls: Calls | None = None, logprobs: Any = ()
    ) -> bytes:
        made = self._fields(text, thinking, calls or []) | {"done": False}
        return self._line(made | _logprobs(logprobs))

    def _whole(self, deltas: Sequence[Delta], finished: Finished) -> bytes:
        calls = calls_of(deltas)
        left = "" if self._reason == "length" else _left_as_text(calls)
        fields = self._fields(
            text_of(deltas, TextDelta) + left,
            text_of(deltas, ReasoningDelta),
            _objects(calls),
        )
        tokens = [token for delta in deltas for token in delta.logprobs]
        return self._line(fields | self._ending(finished) | _logprobs(tokens))

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


def timestamp(seconds: float) -> str:
    """A unix time as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)


def _ends_call(event: Event, call: Sequence[ToolCallDelta]) -> bool:
    is_next = isinstance(event, ToolCallDelta) and event.call != call[-1].call
    return is_next or isinstance(event, TextDelta | ReasoningDelta | Ended | Finished)


def _objects(calls: Iterable[ToolCall]) -> Calls:
    """The calls whose arguments are an object, as Ollama writes them."""
    return [
        {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}}
        for index, call in enumerate(calls)
        if (arguments := _arguments(call)) is not None
    ]


def _left_as_text(calls: Iterable[ToolCall]) -> str:
    """Calls whose arguments are no object: Ollama has only text for these."""
    return "".join(f"{call.name}({call.arguments})" for call in calls if _arguments(call) is None)


def _arguments(call: ToolCall) -> Json | None:
    try:
        found = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _logprobs(tokens: Sequence[TokenLogprob]) -> Json:
    if not tokens:
        return {}
    return {
        "logprobs": [
            _logprob(token) | ({"top_logprobs": [_logprob(one) for one in token.top]} if token.top else {})
            for token in tokens
        ]
    }


def _logprob(token: TokenLogprob) -> Json:
    return {"token": token.text, "logprob": token.logprob, "bytes": token.bytes}
