"""The events of an answer, from the chunks in which another server streams it."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from inference.core.errors import UpstreamFailed
from inference.core.events import (
    Delta,
    Ended,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from inference.upstreams import refusals

DONE = "[DONE]"
_MOST_CALLS = 128  # of one answer
_REASONS: Mapping[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_BROKEN_OFF = "The server that answers for this model broke off in the middle of the answer."
_UNREADABLE = "The server that answers for this model sent what is no chunk of an answer."


class ChunkReader:
    """Call `read` with the data of each event, then `end`; `answers` is how many were asked for."""

    def __init__(self, answers: int, prompt_tokens: int) -> None:
        self._calls: list[dict[int, _Call]] = [{} for _ in range(answers)]
        self._reasons: list[FinishReason | None] = [None] * answers
        self._usage: Usage | None = None
        self._prompt_tokens = prompt_tokens  # an estimate, until the server reports it
        self._tokens = self._reasoning_tokens = 0
        self.is_done = False

    def read(self, data: str) -> Iterator[Event]:
        """Yield what one chunk adds; raises UpstreamFailed for an error in its place, and for nonsense."""
        if data.strip() == DONE:
            self.is_done = True
            return
        try:
            chunk = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise UpstreamFailed(_UNREADABLE) from None
        if not isinstance(chunk, dict):
            raise UpstreamFailed(_UNREADABLE)
        if error := refusals.error_in(chunk):
            raise UpstreamFailed(f"The server that answers for this model broke off: {error}")
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = _usage(usage)
        choices = chunk.get("choices") or ()
        if not isinstance(choices, Sequence) or not all(isinstance(choice, dict) for choice in choices):
            raise UpstreamFailed(_UNREADABLE)
        for choice in choices:
            yield from self._choice(choice)

    def end(self) -> Iterator[Event]:
        """Yield the ends of the answers; raises UpstreamFailed if one of them has none."""
        reasons = [reason for reason in self._reasons if reason]
        if len(reasons) < len(self._reasons):
            raise UpstreamFailed(_BROKEN_OFF)
        for index, reason in enumerate(reasons):
            yield Ended(reason=reason, index=index)
        counted = Usage(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            reasoning_tokens=self._reasoning_tokens,
        )
        yield Finished(usage=self._usage or counted)

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        index = choice.get("index", 0)
        if type(index) is not int or not 0 <= index < len(self._calls):
            raise UpstreamFailed(_UNREADABLE)
        found = choice.get("delta") or choice.get("message") or {}
        delta = found if isinstance(found, dict) else {}
        logprobs = _logprobs(choice.get("logprobs"))
        for one in self._deltas(index, delta, choice.get("text")):
            self._tokens += 1
            self._reasoning_tokens += isinstance(one, ReasoningDelta)
            yield msgspec.structs.replace(one, logprobs=logprobs) if logprobs else one
            logprobs = ()
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self._reasons[index] = _REASONS.get(reason, "stop")

    def _deltas(self, index: int, delta: Mapping[str, Any], text: Any) -> Iterator[Delta]:
        """What a choice adds; `text` is that of a completion."""
        if reasoning := _text(delta.get("reasoning_content")) or _text(delta.get("reasoning")):
            yield ReasoningDelta(text=reasoning, index=index)
        if content := _text(delta.get("content")) or _text(text):
            yield TextDelta(text=content, index=index)
        calls = delta.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                yield from self._call(index, place, call)

    def _call(self, index: int, place: int, given: Mapping[str, Any]) -> Iterator[ToolCallDelta]:
        """The next piece of a call; servers that send calls whole may give all of them one index, or none."""
        calls, function = self._calls[index], given.get("function")
        function = function if isinstance(function, dict) else {}
        slot = given.get("index")
        slot = slot if type(slot) is int else place
        name, number, text = _text(function.get("name")), _text(given.get("id")), _arguments(function)
        known = calls.get(slot)
        if known is None or (name and number and number != known.id):
            if len({call.number for call in calls.values()}) >= _MOST_CALLS:
                raise UpstreamFailed(_UNREADABLE)
            first = 1 + max((call.number for call in calls.values()), default=-1)
            calls[slot] = known = _Call(first, number or f"call_{secrets.token_hex(12)}")
            yield ToolCallDelta(call=known.number, id=known.id, name=name, text=text, index=index)
        elif text:
            yield ToolCallDelta(call=known.number, text=text, index=index)


class _Call(msgspec.Struct, frozen=True):
    """A call that has begun: its number among those of its answer, and its id."""

    number: int
    id: str


def _text(given: Any) -> str:
    """A text, or those of a list of parts; empty for anything else."""
    if isinstance(given, list):
        return "".join(_text(part.get("text")) for part in given if isinstance(part, dict))
    return given if isinstance(given, str) else ""


def _arguments(function: Mapping[str, Any]) -> str:
    """The arguments of a call as JSON text; some servers send the object."""
    given = function.get("arguments")
    return json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else _text(given)


def _logprobs(given: Any) -> tuple[TokenLogprob, ...]:
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, list):
        return ()
    return tuple(_token(one, one.get("top_logprobs")) for one in content if isinstance(one, dict))


def _token(given: Mapping[str, Any], top: Any = None) -> TokenLogprob:
    text, logprob, raw = _text(given.get("token")), given.get("logprob"), given.get("bytes")
    has_bytes = isinstance(raw, list) and all(type(byte) is int and 0 <= byte < 256 for byte in raw)
    return TokenLogprob(
        text=text,
        bytes=tuple(raw) if isinstance(raw, list) and has_bytes else tuple(text.encode(errors="replace")),
        logprob=float(logprob) if isinstance(logprob, int | float) else None,
        top=tuple(_token(one) for one in top if isinstance(one, dict)) if isinstance(top, list) else (),
    )


def _usage(given: Mapping[str, Any]) -> Usage:
    """The counts that a server reports; what is no number counts as 0."""
    return Usage(
        prompt_tokens=_count(given, "prompt_tokens"),
        completion_tokens=_count(given, "completion_tokens"),
        cached_tokens=_count(given.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_count(given.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(given: Any, name: str) -> int:
    value = given.get(name) if isinstance(given, dict) else None
    return value if type(value) is int and 0 <= value < 2**31 else 0
