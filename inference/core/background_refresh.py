"""A cached value that is slow to load, refreshed in the background so that callers need not wait."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)
_AFTER_A_CHANGE_S = 10.0  # a caller has just changed something, and wants to see that


@dataclass(frozen=True)
class _Result(Generic[T]):
    value: T
    age: int


@dataclass(frozen=True)
class _Load(Generic[T]):
    """One load in progress; `age` is the number of calls of `forget` before it began."""

    age: int
    began_at: float
    end: Future[T]


class BackgroundRefresh(Generic[T]):
    """The latest result of `load`, which is called again when it is older than `refresh_after_s`.

    A thread of its own loads, once for all callers. They wait for at most `timeout_s` and then get the result
    before; they do not wait at all if the last load took longer than that. The very first load is waited for
    however long it takes, and its exception is raised to the callers.
    """

    def __init__(
        self,
        load: Callable[[], T],
        *,
        refresh_after_s: float,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._refresh_after_s = refresh_after_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="refresh")
        self._lock = threading.Lock()  # held for moments, never during a load
        self._known: _Result[T] | None = None
        self._in_progress: _Load[T] | None = None
        self._loaded_at = float("-inf")
        self._is_slow = False
        self._age = 0

    def forget(self) -> None:
        """Load again the next time; a load in progress does not count. Safe from any thread."""
        with self._lock:
            self._age += 1
            self._loaded_at = float("-inf")

    @property
    def known(self) -> T | None:
        """The result of the last load, however old; None before the first. It never waits."""
        with self._lock:
            return self._known.value if self._known else None

    def latest(self) -> T:
        """The result of the last load, after another one if that is due.

        Raises the exception of the first load, while there is no result.
        """
        with self._lock:
            known, age = self._known, self._age
            if known and self._clock() - self._loaded_at <= self._refresh_after_s:
                return known.value
            load = self._in_progress or self._start()
            timeout_s = self._timeout(known)
        wait([load.end], timeout_s and max(0.0, load.began_at + timeout_s - time.monotonic()))
        if load.end.done() and load.age < age:
            return self.latest()
        with self._lock:
            known = self._known
        return known.value if known else load.end.result()

    def recent(self) -> T | None:
        """The result of the last load; None while there is none. It waits at most `timeout_s`."""
        with self._lock:
            if self._known and self._clock() - self._loaded_at <= self._refresh_after_s:
                return self._known.value
            load = self._in_progress or self._start()
        wait([load.end], self._timeout_s)
        return self.known

    def _timeout(self, known: _Result[T] | None) -> float | None:
        """Seconds from its start for which a load is waited for; None for no limit."""
        if known is None:
            return None
        if known.age < self._age:
            return _AFTER_A_CHANGE_S
        return 0.0 if self._is_slow else self._timeout_s

    def _start(self) -> _Load[T]:
        age, began_at = self._age, time.monotonic()
        self._in_progress = _Load(age, began_at, self._thread.submit(self._run, age, began_at))
        return self._in_progress

    def _run(self, age: int, began_at: float) -> T:
        """One load, in its own thread."""
        result = None
        try:
            result = _Result(self._load(), age)
            return result.value
        except Exception:
            logger.exception("A refresh failed; the last result stays")
            raise
        finally:
            with self._lock:
                self._known = result or self._known
                self._in_progress = None
                self._is_slow = time.monotonic() - began_at > self._timeout_s
                if age == self._age:
                    self._loaded_at = self._clock()
