"""Headers that an answer carries beside its body: what was noted, left out, limited or only tried."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from inference.core import request_origin
from inference.core.events import Accepted

NOTED: Final = "x-mlx-noted"  # fields that were taken and change nothing
OMITTED: Final = "x-mlx-omitted"  # tools that only OpenAI's own servers have
BEST_EFFORT: Final = "x-mlx-best-effort"  # fields that are followed, and not enforced
MAX_TOKENS: Final = "x-mlx-max-tokens"  # the longest answer that this request may get
TRUNCATED: Final = "x-mlx-truncated-tokens"  # how many tokens were cut off the prompt, where it asked for it

_KEY = "_answer_headers"
_MOST_PATHS = 32  # proxies refuse headers beyond a few kilobytes
_LONGEST_PATH = 96
_UNSAFE = re.compile(r"[^\w.:\-]", re.ASCII)


def list_in(request: HttpRequest, header: str, paths: Iterable[str]) -> None:
    """Add the paths of fields to a header of the answer to this request."""
    if listed := _listed(request, header, paths):
        put(request, header, listed)


def on_accepted(request: HttpRequest, rename: Callable[[str], str] = str) -> Callable[[Accepted], None]:
    """A callback for the model's acceptance of the request, which lists in headers how the model takes it.

    `rename` gives its fields the names of the body that was sent, also in the record of the request.
    """
    origin = request_origin.current()
    origin.noted_with = lambda noted: _listed(request, NOTED, map(rename, noted))
    return partial(_accept, request, rename)


def _accept(request: HttpRequest, rename: Callable[[str], str], accepted: Accepted) -> None:
    list_in(request, NOTED, map(rename, accepted.noted))
    list_in(request, BEST_EFFORT, map(rename, accepted.best_effort))
    if accepted.answer_limit:
        put(request, MAX_TOKENS, str(accepted.answer_limit))
    if accepted.cut_tokens:
        put(request, TRUNCATED, str(accepted.cut_tokens))


def put(request: HttpRequest, header: str, value: str) -> None:
    """Give the answer to this request a header."""
    setattr(request, _KEY, {**_of(request), header: value})
    if header == NOTED:
        request_origin.current().noted = value


def add_to(request: HttpRequest, response: HttpResponseBase) -> None:
    """Write the request's headers onto its response."""
    for header, value in _of(request).items():
        response[header] = value


def _listed(request: HttpRequest, header: str, paths: Iterable[str]) -> str:
    """The header with these paths added to it."""
    added = [_UNSAFE.sub("_", path[:_LONGEST_PATH]) for path in islice(paths, _MOST_PATHS)]
    known = _of(request).get(header)
    return ", ".join([known, *added] if known else added)


def _of(request: HttpRequest) -> dict[str, str]:
    found: dict[str, str] = getattr(request, _KEY, {})
    return found
