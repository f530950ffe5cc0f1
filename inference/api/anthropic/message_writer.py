"""From events to a message, streamed or whole."""

import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Final

import msgspec

from inference.api.anthropic.content_blocks import ContentBlocks, put_together
from inference.api.anthropic.schemas import MessagesBody
from inference.api.http import anthropic_errors, keep_alive, sse
from inference.api.http.event_feed import EventFeed
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
    Usage,
)

# Claude Code reports a stall after 15 to 20 seconds without an event, and does not count comments.
PING_S: Final = 5.0
PING: Final = sse.event(b'{"type":"ping"}', "ping")


class MessageWriter:
    """One message's identity, and the two forms it can take; `on_accepted` hears how the model takes it."""

    def __init__(
        self, body: MessagesBody, on_accepted: Callable[[Accepted], None] = lambda accepted: None
    ) -> None:
        self.id = f"msg_{secrets.token_hex(12)}"
        self._body = body
        self._blocks = ContentBlocks(hides_thinking=body.hides_thinking)
        self._max_tokens = body.max_tokens  # or fewer, where the context leaves fewer
        self._ended = Ended(reason="stop")
        self._prompt_tokens = 0
        self._on_accepted = on_accepted
        self._is_begun = False

    async def stream(self, feed: EventFeed) -> AsyncGenerator[bytes]:
        """Begin the message as server-sent events, with a ping after each silence.

        Raises a refusal of the first seconds; any later error is the last event.
        """
        return self._frames(await keep_alive.stream(self, feed, interval_s=PING_S))

    async def _frames(self, frames: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        async with aclosing(frames):
            try:
                async for frame in frames:
                    yield frame
            except ServerError as error:
                yield sse.event(anthropic_errors.encode(error), "error")

    def begin(self, accepted: Accepted) -> bytes:
        """Nothing: the first event tells what was cached, which only the next one of the model says."""
        self._accept(accepted)
        return b""

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(_frame(made) for event in events for made in self._events(event))

    def fill(self) -> bytes:
        return PING

    async def whole(self, events: AsyncGenerator[Event]) -> bytes:
        """The message as one JSON object."""
        made: list[dict[str, Any]] = []
        async with aclosing(events):
            async for event in events:
                match event:
                    case Accepted():
                        self._accept(event)
                    case Finished(usage=usage):
                        made += self._blocks.close()
                        return msgspec.json.encode(self._whole(put_together(made), usage))
                    case _:
                        made += self._of(event)
        raise InternalError("The answer was cut off; please try again.")

    def _accept(self, accepted: Accepted) -> None:
        """Take what is known once the model has accepted the request."""
        self._prompt_tokens = accepted.prompt_tokens
        self._max_tokens = min(self._body.max_tokens, accepted.max_tokens or self._body.max_tokens)
        self._on_accepted(accepted)

    def _events(self, event: Event) -> Iterator[dict[str, Any]]:
        """The events of a stream; the first has how much of the prompt was cached, once that is known."""
        if not self._is_begun:
            self._is_begun = True
            cached = event.cached if isinstance(event, Progress) else 0
            usage = Usage(prompt_tokens=self._prompt_tokens, cached_tokens=cached)
            yield {"type": "message_start", "message": self._message([], usage)}
        if not isinstance(event, Finished):
            yield from self._of(event)
            return
        yield from self._blocks.close()
        yield {"type": "message_delta", "delta": self._end(), "usage": _usage(event.usage)} | self._edits()
        yield {"type": "message_stop"}

    def _of(self, event: Event) -> Iterator[dict[str, Any]]:
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallDelta() if self._body.max_tokens:
                yield from self._blocks.feed(event)
            case Ended():
                self._ended = event

    def _whole(self, content: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
        return self._message(content, usage) | self._end() | self._edits()

    def _message(self, content: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self._body.model,
            "content": content,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(usage),
        }

    def _end(self) -> dict[str, Any]:
        return {"stop_reason": self._stop_reason, "stop_sequence": self._ended.stop or None}

    def _edits(self) -> dict[str, Any]:
        """What was done to the prompt: nothing, where the client asks."""
        return {"context_management": {"applied_edits": []}} if self._body.context_management else {}

    @property
    def _stop_reason(self) -> str:
        match self._ended.reason:
            case "tool_calls":
                return "tool_use"
            case "length":
                is_cut = self._max_tokens < self._body.max_tokens
                return "model_context_window_exceeded" if is_cut else "max_tokens"
        if not self._body.max_tokens:
            return "max_tokens"
        return "stop_sequence" if self._ended.stop else "end_turn"


def _frame(event: dict[str, Any]) -> bytes:
    return sse.event(msgspec.json.encode(event), event["type"])


def _usage(usage: Usage) -> dict[str, Any]:
    """Anthropic counts what was cached apart from the rest of the prompt, and reasoning with the answer."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens}
        | ({"reasoning_truncated": True} if usage.reasoning_truncated else {}),
        "service_tier": "standard",
    }
