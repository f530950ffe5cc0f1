"""Headers that an answer carries beside its body: what was noted, left out, limited or only tried."""

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from inference.core.events import Accepted

NOTED: Final = "x-mlx-noted"  # fields that were taken and change nothing
OMITTED: Final = "x-mlx-omitted"  # tools that only OpenAI's own servers have
BEST_EFFORT: Final = "x-mlx-best-effort"  # fields that are followed, and not enforced
MAX_TOKENS: Final = "x-mlx-max-tokens"  # the longest answer that this request may get

_KEY = "_answer_headers"
_MOST_PATHS = 32  # proxies refuse headers beyond a few kilobytes
_LONGEST_PATH = 96
_UNSAFE = re.compile(r"[^\w.:\-]", re.ASCII)


def list_in(request: HttpRequest, header: str, paths: Iterable[str]) -> None:
    """Add the paths of fields to a header of the answer to this request."""
    added = [_UNSAFE.sub("_", path[:_LONGEST_PATH]) for path in islice(paths, _MOST_PATHS)]
    known = _of(request).get(header)
    if added:
        put(request, header, ", ".join([known, *added] if known else added))


def accept(request: HttpRequest, accepted: Accepted, rename: Callable[[str], str] = str) -> None:
    """Tell how the model takes the request; `rename` gives its fields the names of the body that was sent."""
    list_in(request, NOTED, map(rename, accepted.noted))
    list_in(request, BEST_EFFORT, map(rename, accepted.best_effort))
    if accepted.answer_limit:
        put(request, MAX_TOKENS, str(accepted.answer_limit))


def put(request: HttpRequest, header: str, value: str) -> None:
    """Give the answer to this request a header."""
    setattr(request, _KEY, {**_of(request), header: value})


def add_to(request: HttpRequest, response: HttpResponseBase) -> None:
    """Write the request's headers onto its response."""
    for header, value in _of(request).items():
        response[header] = value


def _of(request: HttpRequest) -> dict[str, str]:
    found: dict[str, str] = getattr(request, _KEY, {})
    return found
