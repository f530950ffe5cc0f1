"""Spans of a request's life, through OpenTelemetry's API: without an SDK installed they cost nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from inference.types import Event, ModelCard, Principal, Request


class RequestSpan:
    """One request's span; it learns from the events that pass by."""

    def note(self, event: Event) -> None: ...


@contextmanager
def request_span(request: Request, principal: Principal) -> Iterator[RequestSpan]:
    yield RequestSpan()


@contextmanager
def load_span(card: ModelCard) -> Iterator[None]:
    yield
