"""Looking again and again at something slow, so that whoever asks need not wait for it."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)
_AFTER_A_CHANGE_S = 10.0  # somebody has just changed it, and wants to see that


@dataclass(frozen=True)
class _Outcome(Generic[T]):
    value: T
    age: int


@dataclass(frozen=True)
class _Look(Generic[T]):
    """One look that is under way; `age` is how often something had been forgotten when it began."""

    age: int
    began_at: float
    end: Future[T]


class BackgroundRefresh(Generic[T]):
    """The latest outcome of `look`, which is done anew when it is older than `again_after_s`.

    A thread of its own looks, once for all who ask meanwhile. They wait for at most `patience_s` and are then
    given the outcome before; they do not wait at all where the last look took longer than that. The very
    first look is waited for however long it takes, and what it raises is raised to them.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        again_after_s: float,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._again_after_s = again_after_s
        self._patience_s = patience_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="looks")
        self._lock = threading.Lock()  # held for moments, never while anybody looks
        self._known: _Outcome[T] | None = None
        self._under_way: _Look[T] | None = None
        self._looked_at = float("-inf")
        self._is_slow = False
        self._age = 0

    def forget(self) -> None:
        """Look afresh the next time; a look that has begun already does not count. Safe from any thread."""
        with self._lock:
            self._age += 1
            self._looked_at = float("-inf")

    def latest(self) -> T:
        """The outcome of the last look, after another one where that is due."""
        with self._lock:
            known, age = self._known, self._age
            if known and self._clock() - self._looked_at <= self._again_after_s:
                return known.value
            look = self._under_way or self._begin()
            patience_s = self._patience(known)
        wait([look.end], patience_s and max(0.0, look.began_at + patience_s - time.monotonic()))
        if look.end.done() and look.age < age:
            return self.latest()
        with self._lock:
            known = self._known
        return known.value if known else look.end.result()

    def _patience(self, known: _Outcome[T] | None) -> float | None:
        """Seconds from its beginning for which a look is waited for; None for ever."""
        if known is None:
            return None
        if known.age < self._age:
            return _AFTER_A_CHANGE_S
        return 0.0 if self._is_slow else self._patience_s

    def _begin(self) -> _Look[T]:
        age, began_at = self._age, time.monotonic()
        self._under_way = _Look(age, began_at, self._thread.submit(self._do, age, began_at))
        return self._under_way

    def _do(self, age: int, began_at: float) -> T:
        """One look, in the thread that looks."""
        outcome = None
        try:
            outcome = _Outcome(self._look(), age)
            return outcome.value
        except Exception:
            logger.exception("A look failed; what it found before stays")
            raise
        finally:
            with self._lock:
                self._known = outcome or self._known
                self._under_way = None
                self._is_slow = time.monotonic() - began_at > self._patience_s
                if age == self._age:
                    self._looked_at = self._clock()
