"""Questions to the hub from the event loop, for /api: threads ask, and errors are those of clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from inference.core.errors import (
    InvalidValue,
    ModelNotFound,
    PermissionDenied,
    ServerError,
    Unavailable,
)
from inference.core.threads import Threads
from inference.core.whole_number import whole_number
from inference.repository.discovery.hub_search import LONGEST_QUERY, MOST, Format, SearchOrder
from inference.repository.downloads.errors import FetchFailed, HubUnavailable, NotOnHub, NotPermitted
from inference.repository.downloads.hub_names import id_in
from inference.serving.discovery import hub_models
from inference.serving.discovery.hub_models import Examination, FoundModel

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", SearchOrder, Format)
_THREADS = Threads("hub", 6)
_RETRY_AFTER_S = 10.0


async def search(words: str, *, sort: str = "", format: str = "", limit: str = "") -> list[FoundModel]:
    """Models by words, as texts of a query; raises InvalidValue, PermissionDenied or Unavailable."""
    if not words.strip() or len(words) > LONGEST_QUERY:
        raise InvalidValue(f"Give a search term of 1 to {LONGEST_QUERY} characters.", param="search")
    most = whole_number(limit) or 0
    if limit and not 1 <= most <= MOST:
        raise InvalidValue(f"Give a number from 1 to {MOST}.", param="limit")
    order, kind = _choice(SearchOrder, sort, "sort"), _choice(Format, format, "format")
    return await _ask(hub_models.search, words.strip(), order=order, format=kind, most=most or 20)


async def examine(model: str) -> Examination:
    """A model of the hub; raises InvalidValue, ModelNotFound, PermissionDenied or Unavailable."""
    return await _ask(hub_models.examine, model)


def _choice(of: type[C], given: str, param: str) -> C:
    known = {choice.value: choice for choice in of}
    if given and given not in known:
        raise InvalidValue(f"Give one of {', '.join(known)}.", param=param)
    return known[given] if given else next(iter(known.values()))


async def _ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    with hub_errors():
        return await _THREADS.run(question, *args, **kwargs)


def id_of(text: str) -> str:
    """The id of a model for its id or the address of its page; other texts stay as they are."""
    return id_in(text) or text


@contextmanager
def hub_errors() -> Iterator[None]:
    """Make a FetchFailed of the block the error of a client."""
    try:
        yield
    except FetchFailed as error:
        raise _server_error(error) from None


def _server_error(error: FetchFailed) -> ServerError:
    text = str(error)
    if isinstance(error, NotOnHub):
        return ModelNotFound(text, param="model")
    if isinstance(error, NotPermitted):
        return PermissionDenied(text)
    if isinstance(error, HubUnavailable):
        return Unavailable(text, retry_after=_RETRY_AFTER_S)
    return InvalidValue(text, param="model")
