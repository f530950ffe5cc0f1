"""The operator's choices, as last read from the database: the catalog goes on when it cannot be read."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections

from inference.core.model_card import Choice
from inference.models import ServedModel

logger = logging.getLogger(__name__)
_PATIENCE_S = 1.0

Chosen = Mapping[str, Choice]


def read() -> Chosen:
    """What the database says now."""
    try:
        return ServedModel.objects.choices()
    finally:
        close_old_connections()


class Choices:
    """Call it for what was chosen; a database that fails, or takes its time, leaves the last known answer.

    The reading has a thread of its own, because SQLite waits 20 seconds for a lock and nobody else should.
    """

    def __init__(self, read: Callable[[], Chosen] = read, patience_s: float = _PATIENCE_S) -> None:
        self._read = read
        self._patience_s = patience_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="choices")
        self._reading: Future[Chosen] | None = None
        self._known: Chosen = {}
        self._is_failing = False

    def __call__(self) -> Chosen:
        """Not to be called by two threads at once; the catalog looks in one."""
        try:
            self._reading = self._reading or self._thread.submit(self._read)
            self._known = self._reading.result(self._patience_s)
        except TimeoutError:
            if self._reading and not self._reading.done():
                self._complain("it does not answer")
                return self._known  # and look at what comes of this reading the next time
        except Exception as error:
            self._complain(repr(error))
        else:
            self._is_failing = False
        self._reading = None
        return self._known

    def _complain(self, why: str) -> None:
        if not self._is_failing:
            logger.warning("Pins, idle times and aliases stay as last known, the database fails: %s", why)
        self._is_failing = True
