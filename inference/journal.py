"""The pool's decisions on their way into the database: in order, and never in the pool's way."""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, close_old_connections

from inference.models import PoolEvent
from inference.types import PoolEvent as Event

logger = logging.getLogger(__name__)
_ROOM = 1000
_TRY_AGAIN_S = 2.0
_LAST_WRITES_S = 2.0


def write(event: Event) -> None:
    """One row; OperationalError or InterfaceError when it cannot be written now."""
    try:
        PoolEvent.objects.record(event)
    finally:
        close_old_connections()


class Journal:
    """Call it with an event; a thread writes it soon.

    While the database cannot be written, up to `room` events wait and later ones are dropped, which the
    log tells.
    """

    def __init__(
        self,
        write: Callable[[Event], None] = write,
        *,
        room: int = _ROOM,
        try_again_s: float = _TRY_AGAIN_S,
    ) -> None:
        self._write = write
        self._try_again_s = try_again_s
        self._waiting: queue.Queue[Event] = queue.Queue(room)
        self._thread: threading.Thread | None = None
        self._is_failing = False
        self._dropped = 0

    def __call__(self, event: Event) -> None:
        self._begin()
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._drop()

    def flush(self, limit_s: float) -> bool:
        """Wait until everything is written; False when it was not in time."""
        deadline = time.monotonic() + limit_s
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                rest = deadline - time.monotonic()
                if rest <= 0 or not self._waiting.all_tasks_done.wait(rest):
                    return not self._waiting.unfinished_tasks
        return True

    def _begin(self) -> None:
        if self._thread:
            return
        # A daemon, so that a locked database cannot keep the site from ending.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()
        atexit.register(self.flush, _LAST_WRITES_S)

    def _run(self) -> None:
        while True:
            event = self._waiting.get()
            while not self._is_done(event):
                time.sleep(self._try_again_s)
            self._waiting.task_done()

    def _is_done(self, event: Event) -> bool:
        """Write it; False when that may go better later."""
        try:
            self._write(event)
        except (OperationalError, InterfaceError) as error:
            if not self._is_failing:
                logger.warning("The pool's decisions wait for the database to be writable: %s", error)
            self._is_failing = True
            return False
        except Exception:
            logger.exception("A decision of the pool could not be written: %s", event.text)
        self._is_failing = False
        return True

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # the first, the second, the fourth ...: the log has an end too
            logger.error("%d decisions of the pool were lost: the database takes none", self._dropped)
