"""Results that are used again for a while: a page asks for the same ones each time it is opened."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentResults(Generic[T]):
    """At most `most` results, each for `fresh_s` seconds. Safe to use from several threads."""

    def __init__(self, *, most: int, fresh_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._fresh_s, self._clock = most, fresh_s, clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result for this key, made if there is no fresh one; an exception is not kept."""
        with self._lock:
            kept = self._kept.get(key)
        if kept and self._clock() - kept[0] < self._fresh_s:
            return kept[1]
        made = make()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (self._clock(), made)
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return made

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()
