"""A table of the database that is read every few seconds, and never for each request."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from inference.core.errors import Unavailable

logger = logging.getLogger(__name__)
LIVES_S = 3.0
T = TypeVar("T")


class CachedTable(Generic[T]):
    """What `read` returned last. One read serves all requests that wait; `forget` forces another.

    `name` is what messages call the table, in the plural.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *,
        name: str,
        lives_s: float = LIVES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._name = name
        self._lives_s = lives_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name.replace(" ", "_"))
        self._lock = threading.Lock()
        self._table: T | None = None
        self._read_at = 0.0
        self._reading: Future[None] | None = None
        self._age = 0  # counts calls of `forget`: a read that began before the last one is discarded

    def forget(self) -> None:
        """Read the database again before the next use; safe from any thread."""
        with self._lock:
            self._age += 1
            self._table = self._reading = None

    async def current(self) -> T:
        """The table; raises Unavailable where it could never be read."""
        while True:
            with self._lock:
                if self._table is not None and self._clock() - self._read_at < self._lives_s:
                    return self._table
                if self._reading is None:
                    self._reading = self._thread.submit(self._refresh, self._age)
                reading = self._reading
            # A request that is cancelled must not cancel the read for the others.
            await asyncio.shield(asyncio.wrap_future(reading))

    def _refresh(self, age: int) -> None:
        """Read, in the table's own thread; while the database fails, what was read last stays."""
        began = self._clock()
        try:
            table = self._read()
        except Exception as error:
            logger.warning(
                "%s keep their last known state, because the database fails: %r", self._name, error
            )
            table = self._last_known(age)
        with self._lock:
            if age == self._age:
                self._table, self._read_at, self._reading = table, began, None

    def _last_known(self, age: int) -> T:
        with self._lock:
            if age == self._age:
                self._reading = None
            if self._table is None:
                raise Unavailable(f"{self._name} cannot be checked now; please try again.", retry_after=5)
            return self._table
