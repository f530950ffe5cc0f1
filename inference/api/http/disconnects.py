"""What must end with its request, however the request ends.

A client may leave after a view has returned and before Django reads the response; then Django drops the
response without closing it. It may leave while Django is between two threads; then the view may still begin,
for nobody. Only the ASGI application around Django sees every request end.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest

_KEY = "mlxsite.departure"


class Departure:
    """The end of one request."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self._is_over = False

    def then(self, callback: Callable[[], object]) -> None:
        """Call back once the request is over: at once when it is."""
        if self._is_over:
            callback()
        else:
            self._callbacks.append(callback)

    def happen(self) -> None:
        self._is_over = True
        for callback in self._callbacks:
            callback()


@contextmanager
def watched(scope: Any) -> Iterator[Any]:
    """Yield the scope to serve the request with; what `at_end` was given is called when the block ends."""
    departure = Departure()
    try:
        yield {**scope, _KEY: departure}
    finally:
        departure.happen()


def cancel_at_end(request: HttpRequest) -> None:
    """Cancel the task that answers `request` once the request is over: nobody waits for it any more."""
    if task := asyncio.current_task():
        at_end(request, task.cancel)


def at_end(request: HttpRequest, callback: Callable[[], object]) -> None:
    """Call `callback` once the request is over; without an ASGI server around it, never."""
    departure = getattr(request, "scope", {}).get(_KEY)
    if departure:
        departure.then(callback)
