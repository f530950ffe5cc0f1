"""Rows on their way into the database: in order, in batches, and never in the way of who has them written."""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)
T = TypeVar("T")
_ROOM = 1000
_TRY_AGAIN_S = 2.0
_LAST_WRITES_S = 2.0


class Writer(Generic[T]):
    """Call it with something; a thread writes it soon, with at most `most` others in one batch.

    While the database cannot be written, up to `room` of them wait and later ones are dropped, which the
    log tells.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        *,
        name: str,
        most: int = 1,
        room: int = _ROOM,
        try_again_s: float = _TRY_AGAIN_S,
    ) -> None:
        self._write = write
        self._name = name
        self._most = most
        self._try_again_s = try_again_s
        self._waiting: queue.Queue[T] = queue.Queue(room)
        self._thread: threading.Thread | None = None
        self._is_failing = False
        self._dropped = 0

    def __call__(self, one: T) -> None:
        self._begin()
        try:
            self._waiting.put_nowait(one)
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
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        atexit.register(self.flush, _LAST_WRITES_S)

    def _run(self) -> None:
        while True:
            batch = self._batch()
            self._write_all(batch)
            for _ in batch:
                self._waiting.task_done()

    def _batch(self) -> list[T]:
        """Wait for one, and take what has come with it."""
        found = [self._waiting.get()]
        while len(found) < self._most:
            try:
                found.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return found

    def _write_all(self, batch: Sequence[T]) -> None:
        if not self._is_done(batch) and len(batch) > 1:
            for one in batch:  # whichever cannot be written must not take the others with it
                self._is_done([one])

    def _is_done(self, batch: Sequence[T]) -> bool:
        """Write, however long the database has to be waited for; False when these can never be written."""
        while True:
            try:
                self._write(batch)
            except (OperationalError, InterfaceError) as error:
                self._wait(error)
                continue
            except Exception:
                if len(batch) == 1:
                    logger.exception("One of %s could not be written", self._name)
                self._is_failing = False
                return False
            self._is_failing = False
            return True

    def _wait(self, error: Exception) -> None:
        if not self._is_failing:
            logger.warning("%s wait for the database to be writable: %s", self._name.capitalize(), error)
        self._is_failing = True
        time.sleep(self._try_again_s)

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # the first, the second, the fourth ...: the log has an end too
            logger.error("%d of %s were lost: the database takes none", self._dropped, self._name)
