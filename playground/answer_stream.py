"""The playground's event stream: the state of one answer, how events change it, and both as SSE lines."""

from typing import Any

import msgspec

from inference.api.http import sse
from inference.core.errors import ContextLengthExceeded, InvalidRequest, ServerError
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
from playground.answer_figures import AnswerFigures
from playground.models import LONGEST_PARAM, Message
from playground.thinking_time import ThinkingTime

_encode = msgspec.json.Encoder().encode


class AnswerState:
    """An answer in progress; `payload` is all of it so far, for a page that opens now."""

    def __init__(self, message: Message) -> None:
        self._fields = message.payload
        # An answer that is continued has text already.
        self._texts = {"content": [message.content], "reasoning": [message.reasoning]}
        self._calls: list[dict[str, Any]] = []
        self._tokens: list[Any] = list(message.tokens)
        self._figures = AnswerFigures(message.figures, is_continued=bool(message.content))
        self._finish_reason = "stop"
        self._waiting: dict[str, Any] | None = None
        self._is_thinking = False  # what came last is reasoning
        self._thinking_time = ThinkingTime((message.figures or {}).get("thought_s") or 0.0)

    @property
    def is_done(self) -> bool:
        """Whether it reached its own end: not stopped and not failed."""
        return bool(self._fields["status"] == "done")

    @property
    def payload(self) -> dict[str, Any]:
        """The answer as the page's JSON; joins all pieces, so read it once where it is needed twice."""
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        calls = [{**call, "arguments": "".join(call["arguments"])} for call in self._calls]
        progress = {"waiting": self._waiting, "thinking": self._is_thinking}
        more = {"calls": calls, "tokens": self._tokens, "thought_s": self._thinking_time.seconds}
        return {**self._fields, **texts, **progress, **more}

    def apply(self, event: Event) -> None:
        """Update the answer by one event of its stream."""
        self._thinking_time.note(event)
        self._figures.note(event)
        match event:
            case Progress(phase=phase, done=done, total=total, cached=cached, load_phase=load_phase, own=own):
                self._waiting = {"phase": phase, "done": done, "total": total, "cached": cached}
                self._waiting |= {"load_phase": load_phase} if load_phase else {}
                self._waiting |= {"own": own} if own else {}
            case Accepted(prompt_tokens=total):
                self._waiting = {"phase": "prefill", "done": 0, "total": total, "cached": 0}
            case TextDelta(text=text, logprobs=logprobs):
                self._append_text("content", text)
                self._tokens += map(_token, logprobs)
            case ReasoningDelta(text=text):
                self._append_text("reasoning", text)
            case ToolCallDelta():
                self._append_call(event)
            case Ended(reason=reason):
                self._finish_reason = reason
            case Finished():
                self._end({"status": "done", "figures": self._figures.finished(event, self._finish_reason)})

    def add_provenance(self, provenance: dict[str, Any]) -> None:
        """Add what made the answer to its figures, if it has any."""
        if self._fields["figures"]:
            self._fields["figures"] |= provenance

    def stop(self) -> None:
        if self.is_done:  # stopped between its last event and its save
            return
        self._end({"status": "stopped", "figures": self._figures.ended_early("stopped")})

    def fail(self, error: ServerError) -> None:
        figures = self._figures.ended_early("failed")
        # The page leads to the setting that was refused.
        param = error.param[:LONGEST_PARAM] if isinstance(error, InvalidRequest) and error.param else None
        self._end({"status": "failed", "error": _reason(error), "error_param": param, "figures": figures})

    def _end(self, fields: dict[str, Any]) -> None:
        self._waiting, self._is_thinking = None, False
        self._fields |= fields
        self._thinking_time.stop()
        if self._fields["figures"] and self._thinking_time.seconds:
            self._fields["figures"]["thought_s"] = self._thinking_time.seconds

    def _append_text(self, channel: str, text: str) -> None:
        self._waiting = None
        self._is_thinking = channel == "reasoning"
        self._texts[channel].append(text)

    def _append_call(self, event: ToolCallDelta) -> None:
        self._waiting, self._is_thinking = None, False
        if event.call == len(self._calls):
            self._calls.append({"id": event.id, "name": event.name, "arguments": []})
        self._calls[event.call]["arguments"].append(event.text)


def _reason(error: ServerError) -> str:
    """Why there is no answer; the error of a prompt that is too long is written for programs."""
    if not (isinstance(error, ContextLengthExceeded) and error.lengths):
        return error.message
    tokens, limit = error.lengths
    advice = "Edit the question to shorten it or to remove files, or begin a new chat."
    return (
        f"This chat is too long: it has {tokens:,} tokens or more, and the model reads {limit:,}. {advice} "
        f"{error.added}"
    ).rstrip()


def event_frame(event: Event) -> bytes:
    """`data: {"type": "text", "text": ...}`: the type is the event's own tag."""
    return sse.event(_encode(event))


def answer_frame(payload: dict[str, Any]) -> bytes:
    """`data: {"type": "answer", ...}`: the whole answer, at the beginning and at the end of a stream."""
    return sse.event(_encode({"type": "answer", "answer": payload}))


def _token(token: TokenLogprob) -> dict[str, Any]:
    alternatives = [[other.text, other.logprob] for other in token.top]
    return {"text": token.text, "logprob": token.logprob, "top": alternatives}
