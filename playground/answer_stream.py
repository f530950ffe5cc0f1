"""The playground's stream dialect: one answer's state, how events change it, and the lines that tell both."""

import time
from typing import Any

import msgspec

from inference.api.http import sse
from inference.core.errors import ServerError
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)
from playground.models import Message

_encode = msgspec.json.Encoder().encode


class Answer:
    """An answer as it grows; `told` is what a reader who comes now has missed."""

    def __init__(self, message: Message) -> None:
        self._told = message.told
        self._texts: dict[str, list[str]] = {"content": [], "reasoning": []}
        self._calls: list[dict[str, Any]] = []
        self._tokens: list[Any] = []
        self._began = time.monotonic()
        self._first_s: float | None = None
        self._reason = "stop"
        self._waiting: dict[str, Any] | None = None

    @property
    def is_done(self) -> bool:
        return bool(self._told["status"] == "done")

    @property
    def told(self) -> dict[str, Any]:
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        calls = [{**call, "arguments": "".join(call["arguments"])} for call in self._calls]
        return {**self._told, **texts, "calls": calls, "waiting": self._waiting, "tokens": self._tokens}

    def note(self, event: Event) -> None:
        match event:
            case Progress(phase=phase, done=done, total=total, cached=cached):
                self._waiting = {"phase": phase, "done": done, "total": total, "cached": cached}
            case Accepted(prompt_tokens=total):
                self._waiting = {"phase": "prefill", "done": 0, "total": total, "cached": 0}
            case TextDelta(text=text, logprobs=logprobs):
                self._said("content", text)
                self._tokens += map(_token, logprobs)
            case ReasoningDelta(text=text):
                self._said("reasoning", text)
            case ToolCallDelta():
                self._called(event)
            case Ended(reason=reason):
                self._reason = reason
            case Finished():
                self._told |= {"status": "done", "figures": self._figures(event)}

    def know(self, facts: dict[str, Any]) -> None:
        """What made it, beside its question."""
        if self._told["figures"]:
            self._told["figures"] |= facts

    def stop(self) -> None:
        self._waiting = None
        self._told |= {"status": "stopped"}

    def fail(self, error: ServerError) -> None:
        self._waiting = None
        self._told |= {"status": "failed", "error": error.message}

    def _said(self, channel: str, text: str) -> None:
        self._begin()
        self._texts[channel].append(text)

    def _called(self, event: ToolCallDelta) -> None:
        self._begin()
        if event.call == len(self._calls):
            self._calls.append({"id": event.id, "name": event.name, "arguments": []})
        self._calls[event.call]["arguments"].append(event.text)

    def _begin(self) -> None:
        self._waiting = None
        if self._first_s is None:
            self._first_s = time.monotonic() - self._began

    def _figures(self, finished: Finished) -> dict[str, Any]:
        tokens, decode_s = finished.usage.completion_tokens, finished.timings.decode_s
        return {
            "tokens": tokens,
            "reasoning_tokens": finished.usage.reasoning_tokens,
            "prompt_tokens": finished.usage.prompt_tokens,
            "cached_tokens": finished.usage.cached_tokens,
            "per_second": tokens / decode_s if tokens > 1 and decode_s > 0 else None,
            "first_token_s": self._first_s,
            "total_s": time.monotonic() - self._began,
            "reason": self._reason,
        }


def frame(event: Event) -> bytes:
    """`data: {"type": "text", "text": ...}`: the type is the event's own tag."""
    return sse.event(_encode(event))


def whole(told: dict[str, Any]) -> bytes:
    """`data: {"type": "answer", ...}`: all of it, at the beginning and at the end of a stream."""
    return sse.event(_encode({"type": "answer", "answer": told}))


def _token(token: TokenLogprob) -> dict[str, Any]:
    likeliest = [[other.text, other.logprob] for other in token.top]
    return {"text": token.text, "logprob": token.logprob, "top": likeliest}
