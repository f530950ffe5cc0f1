"""The deadline of a request on its way in, by which trickling clients cannot hold connections for ever.

Twisted's own time limit restarts with each byte (https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)).
"""

import time
from collections.abc import Callable
from typing import Any

# Daphne must come first: it installs the asyncio reactor before Twisted picks another.
import daphne.server  # noqa: F401
from twisted.internet import reactor

LEAST_BYTES_PER_S = 1024  # of a body; slower than any network that people use


class Arrival:
    """Calls `on_late` once a request has not arrived in time.

    Its headers have `limit_s` seconds from their first byte, and its body as long and one second more for
    each LEAST_BYTES_PER_S bytes that have arrived.
    """

    def __init__(self, limit_s: float, on_late: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._on_late = on_late
        self._began_at = 0.0
        self._body_bytes: Callable[[], int] = lambda: 0
        self._call: Any = None
        self._is_closed = False

    def begin(self) -> None:
        """The first byte of a request is here, or another one."""
        if self._call or self._is_closed:
            return
        self._began_at = time.monotonic()
        self._body_bytes = lambda: 0
        self._call = reactor.callLater(self._limit_s, self._check)

    def begin_body(self, body_bytes: Callable[[], int]) -> None:
        """The headers are here; `body_bytes` tells how much of the body is."""
        self._began_at = time.monotonic()
        self._body_bytes = body_bytes

    def end(self) -> None:
        """All of the request is here."""
        if self._call:
            self._call.cancel()
        self._call = None

    def close(self) -> None:
        """What else arrives on this connection does not matter."""
        self._is_closed = True
        self.end()

    def _check(self) -> None:
        allowed_s = self._limit_s + self._body_bytes() / LEAST_BYTES_PER_S
        left_s = self._began_at + allowed_s - time.monotonic()
        if left_s <= 0:
            self._call = None
            self._on_late()
            return
        self._call = reactor.callLater(left_s, self._check)
