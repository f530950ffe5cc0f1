"""Background writer: ordered, batched, non-blocking writes to the database."""

import atexit
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)
T = TypeVar("T")
_WRITERS: "weakref.WeakSet[BackgroundWriter[Any]]" = weakref.WeakSet()
_CAPACITY = 1000
_RETRY_AFTER_S = 2.0
_LAST_WRITES_S = 2.0


class BackgroundWriter(Generic[T]):
    """Call it with an item; a thread writes it soon, with at most `batch_size` items in one batch.

    While the database cannot be written, up to `capacity` items wait. Later ones are dropped, and logged.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        *,
        name: str,
        batch_size: int = 1,
        capacity: int = _CAPACITY,
        retry_after_s: float = _RETRY_AFTER_S,
    ) -> None:
        self._write = write
        self._name = name
        self._batch_size = batch_size
        self._retry_after_s = retry_after_s
        self._waiting: queue.Queue[T] = queue.Queue(capacity)
        self._thread: threading.Thread | None = None
        self._is_failing = False
        self._dropped = 0
        _WRITERS.add(self)

    def __call__(self, item: T) -> None:
        self._begin()
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._drop()

    @property
    def waiting(self) -> int:
        """The number of items that are not written yet."""
        return self._waiting.unfinished_tasks

    @property
    def dropped(self) -> int:
        """The number of items that were dropped since the start."""
        return self._dropped

    def flush(self, limit_s: float) -> bool:
        """Wait until everything is written; return False when that took longer than `limit_s` seconds."""
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
        """Wait for one item, and take those that have come with it."""
        items = [self._waiting.get()]
        while len(items) < self._batch_size:
            try:
                items.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return items

    def _write_all(self, batch: Sequence[T]) -> None:
        """Write a batch; if it cannot be written, write its items one by one, and drop those that fail."""
        try:
            self._write_when_possible(batch)
        except Exception:
            self._is_failing = False
            if len(batch) == 1:
                logger.exception("One of %s could not be written", self._name)
                return
            for item in batch:
                self._write_all([item])

    def _write_when_possible(self, batch: Sequence[T]) -> None:
        """Write as soon as the database can be written; raises what makes that impossible for this batch."""
        while True:
            try:
                self._write(batch)
            except (OperationalError, InterfaceError) as error:
                self._wait(error)
            else:
                self._is_failing = False
                return

    def _wait(self, error: Exception) -> None:
        if not self._is_failing:
            logger.warning("%s wait for the database to be writable: %s", self._name.capitalize(), error)
        self._is_failing = True
        time.sleep(self._retry_after_s)

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # the first, the second, the fourth ...: the log has an end too
            logger.error("%d of %s were lost: the database cannot be written", self._dropped, self._name)


def backlog() -> tuple[int, int]:
    """How many items of all writers wait to be written, and how many were dropped so far."""
    writers = list(_WRITERS)
    return sum(one.waiting for one in writers), sum(one.dropped for one in writers)
