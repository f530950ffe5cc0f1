"""What is recorded of the HTTP request that is served in this context, besides its id."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class RequestOrigin:
    """The API that a request was sent to, and the fields of it that were noted; empty for none.

    `noted_with` returns them with those that the model notes, in the names of the body that was sent. The
    record needs it, because an answer may be over before the writer of its headers reads its first event.
    """

    dialect: str = ""
    noted: str = ""  # as the header x-mlx-noted lists them so far
    noted_with: Callable[[Iterable[str]], str] = ", ".join


_CURRENT: ContextVar[RequestOrigin | None] = ContextVar("request_origin", default=None)


def begin(dialect: str) -> None:
    """A request to this API begins in this context."""
    _CURRENT.set(RequestOrigin(dialect))


def current() -> RequestOrigin:
    """The origin of the request that is served in this context; an empty one outside of any."""
    return _CURRENT.get() or RequestOrigin()
