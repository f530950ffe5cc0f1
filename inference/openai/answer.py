"""From events to an answer, streamed or whole; what the two endpoints say differently is their Wording."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from inference import chat
from inference.errors import InternalError, ServerError
from inference.openai import departure, errors, sse
from inference.openai.auth import AuthenticatedRequest
from inference.openai.feed import Feed
from inference.openai.schemas import ChatCompletionBody, CompletionBody
from inference.types import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Usage,
)

Delta = TextDelta | ReasoningDelta
_encode = msgspec.json.Encoder().encode


class Wording(Protocol):
    """How one endpoint words its answers: the objects' names and the entries of `choices`."""

    id_prefix: str
    chunk_object: str
    whole_object: str

    def opening(self) -> Any | None:
        """The choice sent before the first delta, if there is one."""
        ...

    def delta(self, delta: Delta) -> Any: ...

    def ending(self, reason: FinishReason) -> Any: ...

    def whole(self, deltas: Sequence[Delta], reason: FinishReason) -> Any: ...


async def respond(
    http: AuthenticatedRequest, body: ChatCompletionBody | CompletionBody, wording: Wording
) -> HttpResponseBase:
    """Answer what `body` asks; a refusal is raised before any status line is sent."""
    answer = Answer(body.model, wording, includes_usage=body.includes_usage)
    events = chat.stream(body.request(), http.auth)
    if not body.stream:
        if task := asyncio.current_task():
            departure.at_end(http, task.cancel)
        return HttpResponse(await answer.whole(events), content_type="application/json")
    feed = Feed(events)
    departure.at_end(http, feed.cancel)
    await feed.accepted()
    return sse.EventStream(answer.frames(feed))


class Answer:
    """One answer's identity, and the two forms it can take."""

    def __init__(self, model: str, wording: Wording, *, includes_usage: bool = False) -> None:
        self._wording = wording
        self._templates: dict[type[Delta], tuple[bytes, bytes]] = {}
        self._includes_usage = includes_usage
        self._head = {
            "id": f"{wording.id_prefix}-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": None,
        }

    async def frames(self, feed: Feed) -> AsyncGenerator[bytes]:
        """The answer as server-sent events; an error is the last event, and then there is no [DONE]."""
        async with aclosing(feed):
            opening = self._wording.opening()
            yield sse.OPENED if opening is None else self._chunk(opening)
            try:
                async for batch in feed.batches():
                    yield b"".join(map(self._framed, batch)) or sse.KEEP_ALIVE
            except ServerError as error:
                yield sse.event(errors.encode(error))

    async def whole(self, events: AsyncGenerator[Event]) -> bytes:
        """The answer as one JSON object."""
        deltas: list[Delta] = []
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TextDelta | ReasoningDelta):
                    deltas.append(event)
                elif isinstance(event, Finished):
                    return self._whole(deltas, event)
        raise InternalError("The answer broke off; please ask again.")

    def _framed(self, event: Event) -> bytes:
        match event:
            case TextDelta() | ReasoningDelta() if event.logprobs:
                return self._chunk(self._wording.delta(event))
            case TextDelta() | ReasoningDelta():
                before, after = self._templates.get(type(event)) or self._template(type(event))
                return before + _encode(event.text) + after
            case Finished():
                last = self._usage_chunk(event.usage) if self._includes_usage else b""
                return self._chunk(self._wording.ending(event.reason)) + last + sse.DONE
        return b""

    def _template(self, kind: type[Delta]) -> tuple[bytes, bytes]:
        """A delta's chunk around its text: all the rest is the same in every chunk of an answer."""
        gap = secrets.token_hex(16)
        before, after = self._chunk(self._wording.delta(kind(text=gap))).split(_encode(gap))
        self._templates[kind] = before, after
        return before, after

    def _chunk(self, choice: Any) -> bytes:
        chunk = {**self._head, "object": self._wording.chunk_object, "choices": [choice]}
        if self._includes_usage:
            chunk["usage"] = None
        return sse.event(msgspec.json.encode(chunk))

    def _usage_chunk(self, usage: Usage) -> bytes:
        chunk = {**self._head, "object": self._wording.chunk_object, "choices": [], "usage": _usage(usage)}
        return sse.event(msgspec.json.encode(chunk))

    def _whole(self, deltas: list[Delta], finished: Finished) -> bytes:
        return msgspec.json.encode(
            {
                **self._head,
                "object": self._wording.whole_object,
                "choices": [self._wording.whole(deltas, finished.reason)],
                "usage": _usage(finished.usage),
            }
        )


def text_of(deltas: Iterable[Delta], kind: type[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, kind))


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
