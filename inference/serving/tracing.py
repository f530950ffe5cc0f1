"""Spans of a request's life, through OpenTelemetry's API: without Logfire configured they cost nothing.

The prefill and decode spans are made afterwards from the worker's own clock. No span is ever made
"current": a stream may be closed from another task than it began in, and OpenTelemetry's context
cannot be detached there.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

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
from inference.core.installation import INSTALLATION
from inference.core.model_card import ModelCard
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, DetokenizeRequest, Request, TokenizeRequest

if TYPE_CHECKING:
    from inference.core.config import Config

logger = logging.getLogger(__name__)
_NS = 1_000_000_000


def configure(config: "Config") -> bool:
    """Send spans to Logfire if it is enabled; False, with one warning, when that is not possible."""
    if not config.logfire_enabled:
        return False
    try:
        import logfire
    except ImportError:
        logger.warning(
            "MLX_SERVER_LOGFIRE_ENABLED is set but Logfire is missing: %s",
            INSTALLATION.install_extra("logfire"),
        )
        return False
    token = config.logfire_token.get_secret_value() if config.logfire_token else None
    if token is None:
        logger.warning("No MLX_SERVER_LOGFIRE_TOKEN: spans are printed here and sent nowhere")
    logfire.configure(
        token=token, send_to_logfire="if-token-present", service_name="mlxsite", inspect_arguments=False
    )
    return True


class RequestSpan:
    """One request's span, filled from its events."""

    def __init__(self, span: Span, max_tokens: int = 0) -> None:
        self._span = span
        self._phase = "queued"
        self._tokens = 0
        self._max_tokens = max_tokens
        self._is_finished = False
        self._reasons: list[str] = []

    def note(self, event: Event) -> None:
        """Set the attributes of an event: token counts, finish reasons, durations of the phases."""
        match event:
            case TextDelta(tokens=tokens) | ReasoningDelta(tokens=tokens) | ToolCallDelta(tokens=tokens):
                self._tokens += tokens
                self._phase = "decode"
            case Progress(phase=phase):
                self._phase = phase
            case Accepted(prompt_tokens=prompt_tokens, max_tokens=max_tokens):
                self._phase = "prefill"
                self._max_tokens = max_tokens
                self._span.set_attribute("prompt_tokens", prompt_tokens)
                self._span.add_event("accepted")
            case Ended(reason=reason):
                self._reasons.append(reason)
            case Finished():
                self._finish(event)

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
        self._span.set_attribute("error_code", code)
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
            }
        )
        self._add_phases(finished)

    def _add_phases(self, finished: Finished) -> None:
        end = time.time_ns()
        parent = trace.set_span_in_context(self._span)
        tokens = {"prefill": finished.usage.prompt_tokens, "decode": finished.usage.completion_tokens}
        for name, seconds in (("decode", finished.timings.decode_s), ("prefill", finished.timings.prefill_s)):
            start = end - int(seconds * _NS)
            phase = _tracer().start_span(
                name, context=parent, start_time=start, attributes={"tokens": tokens[name]}
            )
            phase.end(end_time=end)
            end = start


@contextmanager
def request_span(request: Request, principal: Principal) -> Iterator[RequestSpan]:
    """A span around one request; an error or an early leave is noted in it."""
    attributes = {
        "model": request.model,
        "kind": request.kind,
        "principal": principal.kind,
        **_client_attributes(request),
    }
    span = _tracer().start_span(f"{request.kind} {request.model}", attributes=attributes)
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
