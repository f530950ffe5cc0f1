"""The operator's choices as last read from the database, also while it cannot be read."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections

from inference.core.model_card import Choice
from inference.models import ServedModel

logger = logging.getLogger(__name__)
_TIMEOUT_S = 1.0

Chosen = Mapping[str, Choice]


def read() -> Chosen:
    """Read the choices from the database."""
    try:
        return ServedModel.objects.choices()
    finally:
        close_old_connections()


class Choices:
    """Call it for the choices; while the database fails or is slow, it returns those last known.

    Reads have a thread of their own, because SQLite waits up to 20 seconds for a lock.
    """

    def __init__(self, read: Callable[[], Chosen] = read, timeout_s: float = _TIMEOUT_S) -> None:
        self._read = read
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choices")
        self._read_in_progress: Future[Chosen] | None = None
        self._known: Chosen = {}
        self._is_failing = False

    def __call__(self) -> Chosen:
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
            logger.warning("Pins, idle times and aliases stay as last known, the database fails: %s", why)
        self._is_failing = True
