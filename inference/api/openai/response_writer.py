"""From events to an answer, streamed or whole; an endpoint gives its ChunkFormat."""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Protocol

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from msgspec import structs

from inference.api.http import answer_headers, disconnects, errors, field_names, keep_alive, sse
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.event_feed import EventFeed
from inference.api.openai.schemas import ChatCompletionBody, CompletionBody
from inference.api.openai.schemas.generation import Extra
from inference.api.openai.token_details import TokenDetails
from inference.api.openai.usage import timings_of, usage_of
from inference.core.errors import InternalError, ServerError
from inference.core.events import (
    Accepted,
    Delta,
    Ended,
    Event,
    Finished,
    Progress,
    PromptLogprobs,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from inference.core.requests import ToolCall
from inference.serving import generation

_encode = msgspec.json.Encoder().encode


class ChunkFormat(Protocol):
    """How one endpoint writes its answers: the objects' names and the entries of `choices`."""

    id_prefix: str
    chunk_object: str
    whole_object: str
    has_prompt_in_choices: bool  # whether the details of a prompt are part of its choices

    def opening(self, index: int) -> Any | None:
        """The choice sent before the first delta of an answer, if there is one."""
        ...

    def delta(self, delta: Delta) -> Any | None:
        """The choice with what the delta adds, unless that is nothing yet."""
        ...

    def ending(self, ended: Ended) -> Any: ...

    def whole(self, index: int, deltas: Sequence[Delta], ended: Ended) -> Any: ...


async def respond(
    http: AuthenticatedRequest, body: ChatCompletionBody | CompletionBody, chunk_format: ChunkFormat
) -> HttpResponseBase:
    """Answer what `body` asks; a refusal is raised before any status line is sent."""
    request = body.request()
    names = body.own_names
    accept = answer_headers.on_accepted(http, partial(field_names.path_of, names=names))
    answer = ResponseWriter(
        body.model, chunk_format, answers=request.answers, extras=body.extras, on_accepted=accept
    )
    events = generation.stream(request, http.auth, answer.id)
    if body.stream:
        feed = EventFeed(events, names)
        disconnects.at_end(http, feed.cancel)
        return sse.EventStream(await answer.stream(feed))
    disconnects.cancel_at_end(http)
    with field_names.in_names_of(names):
        return HttpResponse(await answer.whole(events), content_type="application/json")


class ResponseWriter:
    """One answer's identity, and the two forms it can take."""

    def __init__(
        self,
        model: str,
        chunk_format: ChunkFormat,
        *,
        answers: int = 1,
        extras: frozenset[Extra] = frozenset(),
        on_accepted: Callable[[Accepted], object] = bool,
    ) -> None:
        self._format = chunk_format
        self._answers = answers
        self._templates: dict[tuple[type[Delta], int], tuple[bytes, bytes]] = {}
        self._extras = extras
        self._tokens = TokenDetails(extras, answers)
        self._without_prompt = set(range(answers))  # choices of a stream that do not have their prompt yet
        self._on_accepted = on_accepted
        self._began = time.monotonic()
        self._usage = Usage(prompt_tokens=0)  # so far
        self._head = {
            "id": f"{chunk_format.id_prefix}-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": None,
        }

    @property
    def id(self) -> str:
        return str(self._head["id"])

    async def stream(self, feed: EventFeed, *, interval_s: float | None = None) -> AsyncGenerator[bytes]:
        """Begin the answer as server-sent events; an error is the last of them, and then there is no [DONE].

        Raises a refusal of the first seconds. A server that sends no keep-alives waits for later ones, too.
        """
        is_kept_alive = settings.CONFIG.keep_alive != "off"
        frames = await keep_alive.stream(self, feed, interval_s=interval_s, may_begin_early=is_kept_alive)
        return self._frames(frames)

    async def _frames(self, frames: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        async with aclosing(frames):
            try:
                async for frame in frames:
                    yield frame
            except ServerError as error:
                yield sse.event(errors.encode(error))

    def begin(self, accepted: Accepted) -> bytes:
        """The first chunk of each choice that has one; the answer's headers can be set where it is early."""
        self._accept(accepted)
        openings = [self._format.opening(index) for index in range(self._answers)]
        prompt = {} if self._format.has_prompt_in_choices else self._tokens.of_prompt(0)
        return b"".join(self._chunk(opening, **prompt) for opening in openings if opening) or sse.OPENED

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(map(self._framed, events))

    def fill(self) -> bytes:
        """The event that shows a client of a silent stream that it is still served."""
        match settings.CONFIG.keep_alive:
            case "chunk":
                return self._event(choices=[])
            case "comment":
                return sse.KEEP_ALIVE
        return b""

    async def whole(self, events: AsyncGenerator[Event]) -> bytes:
        """The answer as one JSON object."""
        deltas: list[list[Delta]] = [[] for _ in range(self._answers)]
        ends = [Ended(reason="stop")] * self._answers
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta | Ended):
                    self._tokens.add(event)
                match event:
                    case Accepted():
                        self._accept(event)
                    case PromptLogprobs():
                        self._tokens.score(event)
                    case ReasoningDelta() if "no_reasoning" in self._extras:
                        pass
                    case TextDelta() | ReasoningDelta() | ToolCallDelta():
                        deltas[event.index].append(event)
                    case Ended():
                        ends[event.index] = event
                    case Finished():
                        return self._whole(deltas, ends, event)
        raise InternalError("The answer was cut off; please try again.")

    def _accept(self, event: Accepted) -> None:
        self._usage = Usage(prompt_tokens=event.prompt_tokens)
        self._tokens.accept(event)
        self._on_accepted(event)

    def _framed(self, event: Event) -> bytes:
        if "usage_so_far" in self._extras:
            self._count(event)
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta | Ended):
            self._tokens.add(event)
        if isinstance(event, ReasoningDelta) and "no_reasoning" in self._extras:
            return b""
        match event:
            case TextDelta(logprobs=()) | ReasoningDelta(logprobs=()) if self._has_templates:
                before, after = self._templates.get((type(event), event.index)) or self._template(event)
                return before + _encode(event.text) + after
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                choice = self._format.delta(event)
                return self._chunk(choice | self._token_details(event.index)) if choice else b""
            case Ended():
                return self._chunk(self._format.ending(event) | self._token_details(event.index))
            case Progress(phase="prefill") if "progress" in self._extras:
                return self._event(choices=[], prompt_progress=self._progress(event))
            case Finished():
                return self._last(event) + sse.DONE
        return b""

    def _template(self, like: TextDelta | ReasoningDelta) -> tuple[bytes, bytes]:
        """A delta's chunk around its text: all the rest is the same in every chunk of an answer."""
        gap = secrets.token_hex(16)
        delta = self._format.delta(type(like)(text=gap, index=like.index))
        before, after = self._chunk(delta).split(_encode(gap))
        self._templates[type(like), like.index] = before, after
        return before, after

    @property
    def _has_templates(self) -> bool:
        """Whether the chunks of an answer differ in their text alone."""
        return self._extras.isdisjoint({"usage_so_far", "token_ids", "tokens"})

    def _token_details(self, index: int) -> dict[str, Any]:
        """What a chunk's choice tells about tokens; the first of each choice also tells of the prompt."""
        details = self._tokens.of_choice(index)
        if index in self._without_prompt and self._format.has_prompt_in_choices:
            self._without_prompt.discard(index)
            details |= self._tokens.of_prompt(index)
        return details

    def _chunk(self, choice: Any, **fields: Any) -> bytes:
        if "usage_so_far" in self._extras:
            return self._event(choices=[choice], usage=usage_of(self._usage), **fields)
        if "usage" in self._extras:
            return self._event(choices=[choice], usage=None, **fields)
        return self._event(choices=[choice], **fields)

    def _last(self, finished: Finished) -> bytes:
        """The chunk after all choices, where one was asked for."""
        fields: dict[str, Any] = {}
        if "usage" in self._extras:
            fields["usage"] = usage_of(finished.usage)
        if "timings" in self._extras:
            fields["timings"] = timings_of(finished)
        return self._event(choices=[], **fields) if fields else b""

    def _event(self, **fields: Any) -> bytes:
        return sse.event(msgspec.json.encode({**self._head, "object": self._format.chunk_object, **fields}))

    def _count(self, event: Event) -> None:
        """Keep the token counts so far."""
        match event:
            case TextDelta() | ToolCallDelta():
                self._add(event.tokens, 0)
            case ReasoningDelta():
                self._add(event.tokens, event.tokens)
            case Finished(usage=usage):
                self._usage = usage

    def _add(self, tokens: int, reasoning: int) -> None:
        usage = self._usage
        self._usage = structs.replace(
            usage,
            completion_tokens=usage.completion_tokens + tokens,
            reasoning_tokens=usage.reasoning_tokens + reasoning,
        )

    def _progress(self, event: Progress) -> dict[str, Any]:
        milliseconds = round((time.monotonic() - self._began) * 1000)
        done = {"total": event.total, "cache": event.cached, "processed": event.done}
        return done | {"time_ms": milliseconds}

    def _whole(self, deltas: list[list[Delta]], ends: list[Ended], finished: Finished) -> bytes:
        in_choices = self._format.has_prompt_in_choices
        choices = [
            self._format.whole(index, *answer)
            | self._tokens.of_choice(index)
            | (self._tokens.of_prompt(index) if in_choices else {})
            for index, answer in enumerate(zip(deltas, ends, strict=True))
        ]
        return msgspec.json.encode(
            {
                **self._head,
                "object": self._format.whole_object,
                "choices": choices,
                "usage": usage_of(finished.usage),
                **({} if in_choices else self._tokens.of_prompt(0)),
                **({"timings": timings_of(finished)} if "timings" in self._extras else {}),
            }
        )


def text_of(deltas: Iterable[Delta], kind: type[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, kind))


def calls_of(deltas: Iterable[Delta]) -> list[ToolCall]:
    """The tool calls of one answer, put together from their pieces."""
    calls: dict[int, ToolCall] = {}
    for delta in deltas:
        if not isinstance(delta, ToolCallDelta):
            continue
        known = calls.get(delta.call) or ToolCall(id=delta.id, name=delta.name, arguments="")
        calls[delta.call] = structs.replace(known, arguments=known.arguments + delta.text)
    return list(calls.values())
