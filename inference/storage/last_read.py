"""What was last read from the database, also while it cannot be read."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)
_TIMEOUT_S = 1.0
T = TypeVar("T")


class LastRead(Generic[T]):
    """Call it for what `read` returns; while the database fails or is slow, it returns what was last known.

    Reads have a thread of their own, because SQLite waits up to 20 seconds for a lock. `what` begins the
    sentence of the warning.
    """

    def __init__(self, read: Callable[[], T], empty: T, what: str, timeout_s: float = _TIMEOUT_S) -> None:
        self._read = read
        self._what = what
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choices")
        self._read_in_progress: Future[T] | None = None
        self._known = empty
        self._is_failing = False

    def __call__(self) -> T:
        """Not to be called by two threads at once; the catalog refreshes in one."""
        try:
            self._read_in_progress = self._read_in_progress or self._thread.submit(self._read)
            self._known = self._read_in_progress.result(self._timeout_s)
        except TimeoutError:
            if self._read_in_progress and not self._read_in_progress.done():
                self._warn("it does not answer")
                return self._known  # the next call uses this read
        except Exception as error:
            self._warn(repr(error))
        else:
            self._is_failing = False
        self._read_in_progress = None
        return self._known

    def _warn(self, why: str) -> None:
        if not self._is_failing:
            logger.warning("%s keep their last known state, because the database fails: %s", self._what, why)
        self._is_failing = True
