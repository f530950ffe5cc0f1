"""What must end with its request, however the request ends.

A client may leave after a view has returned and before Django reads the response; then Django drops the
response without closing it. Only the ASGI application around Django sees every request end.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.http import HttpRequest

_KEY = "mlxsite.departure"


@contextmanager
def watched(scope: Any) -> Iterator[Any]:
    """Yield the scope to serve the request with; what `at_end` was given is called when the block ends."""
    with ExitStack() as ends:
        yield {**scope, _KEY: ends}


def at_end(request: HttpRequest, callback: Callable[[], object]) -> None:
    """Call `callback` once the request is over; without an ASGI server around it, never."""
    ends = getattr(request, "scope", {}).get(_KEY)
    if ends:
        ends.callback(callback)
