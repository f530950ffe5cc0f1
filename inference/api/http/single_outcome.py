"""Requests whose answer is one event: tokens, vectors, scores."""

from contextlib import aclosing
from functools import partial
from typing import TypeVar

from inference.api.http import answer_headers, disconnects, field_names
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.strict_schema import Strict
from inference.core.errors import InternalError
from inference.core.events import Accepted, Embedded, Finished, Reranked, Tokenized
from inference.core.requests import Request
from inference.serving import generation

Outcome = TypeVar("Outcome", Tokenized, Embedded, Reranked)


async def single(
    http: AuthenticatedRequest, body: Strict, request: Request, kind: type[Outcome]
) -> tuple[Outcome, Finished]:
    """The one outcome of a request, and its end; a client that disconnects cancels it.

    Raises the ServerError of a refusal, with the field names of `body`.
    """
    disconnects.cancel_at_end(http)
    on_accepted = answer_headers.on_accepted(http, partial(field_names.path_of, names=body.own_names))
    with field_names.in_names_of(body.own_names):
        async with aclosing(generation.stream(request, http.auth)) as events:
            found = [event async for event in events if isinstance(event, kind | Accepted | Finished)]
    match found:
        case [Accepted() as accepted, outcome, Finished() as finished] if isinstance(outcome, kind):
            on_accepted(accepted)
            return outcome, finished
    raise InternalError("There was no answer; please try again.")
