"""Spans of a request's life, through OpenTelemetry's API: unless they are exported they cost nothing.

One trace has a request with its phases. Attributes follow the semantic conventions for generative AI
(genai_attributes.py), and have some names of our own beside them. The prefill and decode spans are made
afterwards from the worker's own clock. No span is ever made "current": a stream may be closed from another
task than it began in, and OpenTelemetry's context cannot be detached there.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from inference.core import request_id
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
from inference.core.model_card import ModelCard
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, DetokenizeRequest, Request, TokenizeRequest
from inference.serving import genai_attributes

_NS = 1_000_000_000


# The trace that the client of this context's request has begun, as its header `traceparent` says.
_PARENT: ContextVar[Context | None] = ContextVar("trace_parent", default=None)
# Phases that the site sees; those of the worker are measured by its own clock.
_WAITS = {"queued": "queue", "loading": "load", "paused": "pause"}


def follow(headers: Mapping[str, str]) -> None:
    """Continue the client's trace (https://www.w3.org/TR/trace-context/) with the request of this context."""
    _PARENT.set(propagate.extract(headers))


class RequestSpan:
    """One request's span, filled from its events."""

    def __init__(self, span: Span, max_tokens: int = 0) -> None:
        self._span = span
        self._phase = "queued"
        self._wait = ""  # the name of the wait that goes on, and since when
        self._waits_since = 0
        self._tokens = 0
        self._max_tokens = max_tokens
        self._is_finished = False
        self._reasons: list[str] = []

    def note(self, event: Event) -> None:
        """Set the attributes of an event: token counts, finish reasons, durations of the phases."""
        match event:
            case TextDelta(tokens=tokens) | ReasoningDelta(tokens=tokens) | ToolCallDelta(tokens=tokens):
                if tokens and not self._tokens:
                    self._span.add_event("first_token")
                self._tokens += tokens
                self._enter("decode")
            case Progress(phase=phase):
                self._enter(phase)
            case Accepted(prompt_tokens=prompt_tokens, max_tokens=max_tokens):
                self._enter("prefill")
                self._max_tokens = max_tokens
                self._span.set_attribute("prompt_tokens", prompt_tokens)
                self._span.set_attribute("gen_ai.usage.input_tokens", prompt_tokens)
                self._span.add_event("accepted")
            case Ended(reason=reason):
                self._reasons.append(reason)
            case Finished():
                self._finish(event)

    def _enter(self, phase: str) -> None:
        """Note the phase; a wait that it ends becomes a span of its own."""
        self._phase = phase
        if (wait := _WAITS.get(phase, "")) != self._wait:
            self.end_wait()
            self._wait, self._waits_since = wait, time.time_ns()

    def end_wait(self) -> None:
        """Add the span of a wait that is over, if there is one."""
        if self._wait:
            self._add_span(self._wait, self._waits_since, time.time_ns())
            self._wait = ""

    def leave(self) -> None:
        """Note the disconnect of the client: the phase, the tokens generated and the tokens saved."""
        if self._is_finished:
            return
        self._span.set_attributes(
            {
                "cancelled": True,
                "phase": self._phase,
                "completion_tokens": self._tokens,
                "tokens_saved": max(0, self._max_tokens - self._tokens),
            }
        )

    def fail(self, error: Exception) -> None:
        code = error.code if isinstance(error, ServerError) else InternalError.code
        self._span.set_attributes({"error_code": code, "error.type": code})
        self._span.set_status(Status(StatusCode.ERROR, code))

    def _finish(self, finished: Finished) -> None:
        self._is_finished = True
        self._span.set_attributes(
            {
                "completion_tokens": finished.usage.completion_tokens,
                "cached_tokens": finished.usage.cached_tokens,
                "drafted_tokens": finished.usage.drafted_tokens,
                "accepted_tokens": finished.usage.accepted_tokens,
                "finish_reason": ", ".join(self._reasons),
                "gen_ai.response.finish_reasons": self._reasons,
                **genai_attributes.of_usage(finished.usage),
            }
        )
        self._add_phases(finished)

    def _add_phases(self, finished: Finished) -> None:
        end = time.time_ns()
        tokens = {"prefill": finished.usage.prompt_tokens, "decode": finished.usage.completion_tokens}
        for name, seconds in (("decode", finished.timings.decode_s), ("prefill", finished.timings.prefill_s)):
            start = end - int(seconds * _NS)
            self._add_span(name, start, end, tokens=tokens[name])
            end = start

    def _add_span(self, name: str, start: int, end: int, **attributes: int) -> None:
        """A child from and to these times, in nanoseconds since 1970."""
        parent = trace.set_span_in_context(self._span)
        span = _tracer().start_span(name, context=parent, start_time=start, attributes=attributes)
        span.end(end_time=end)


@contextmanager
def request_span(request: Request, principal: Principal) -> Iterator[RequestSpan]:
    """A span around one request; an error or an early leave is noted in it."""
    attributes = {
        "model": request.model,
        "kind": request.kind,
        "principal": principal.kind,
        "request_id": request_id.current(),
        **genai_attributes.of_request(request),
        **_client_attributes(request),
    }
    name = f"{genai_attributes.operation(request)} {request.model}"
    span = _tracer().start_span(name, context=_PARENT.get(), kind=SpanKind.SERVER, attributes=attributes)
    recorded = RequestSpan(span, getattr(request, "max_tokens", None) or 0)
    try:
        yield recorded
    except (GeneratorExit, asyncio.CancelledError):
        recorded.leave()
        raise
    except Exception as error:
        recorded.fail(error)
        raise
    finally:
        recorded.end_wait()
        span.end()


def _client_attributes(request: Request) -> dict[str, str]:
    """The client's own attributes: the user of the request, and its labels."""
    if isinstance(request, TokenizeRequest | DetokenizeRequest):
        return {}
    user = {"user": request.user} if request.user else {}
    labels = request.labels if isinstance(request, ChatRequest) else ()
    return user | {f"metadata.{key}": value for key, value in labels}


@contextmanager
def load_span(card: ModelCard) -> Iterator[None]:
    """A span around the load of one model."""
    span = _tracer().start_span(
        f"load {card.id}", attributes={"model": card.id, "bytes": card.resident_bytes}
    )
    try:
        yield
    except BaseException as error:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        span.end()


def _tracer() -> trace.Tracer:
    return trace.get_tracer("inference")
