"""Periodic maintenance of the database."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from django.conf import settings
from django.db import close_old_connections
from msgspec import Struct

from inference.accounts import sign_in_throttle
from inference.models.request_record import RequestRecord
from inference.models.usage_hour import UsageHour
from inference.serving import revocation
from inference.serving.recording.capture_switch import SWITCH
from inference.storage import conversation_store, response_store

logger = logging.getLogger(__name__)
_ROUND_S = 30.0


class Task(Struct, frozen=True):
    """A task that runs at the start, and then every `every_s` seconds."""

    run: Callable[[], None]
    every_s: float


def forget_old() -> None:
    """Delete what is kept for too long: request records, usage, responses and conversations."""
    RequestRecord.objects.retain(days=settings.CONFIG.record_days, rows=settings.CONFIG.record_rows)
    UsageHour.objects.retain()
    response_store.forget_old()
    conversation_store.forget_old()


def forget_sessions() -> None:
    """Delete expired sessions."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


# Other apps add theirs when they are ready.
TASKS = [
    Task(SWITCH.refresh, 30.0),  # another process may have begun or ended a capture
    Task(revocation.enforce, 30.0),  # or have revoked a key, or disabled an account
    Task(forget_old, 600.0),
    Task(forget_sessions, 3600.0),
    Task(sign_in_throttle.forget_old, 3600.0),
]


class DatabaseMaintenance:
    """Runs its tasks in order, in a thread of its own; a task that fails runs again at its next time."""

    def __init__(self, tasks: Sequence[Task] = TASKS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = dict.fromkeys(tasks, 0.0)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Start the thread; the first round runs at once."""
        # A daemon, so that a locked database cannot keep the site from ending.
        threading.Thread(target=self._run, name="maintenance", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def round(self) -> None:
        """Run the tasks that are due."""
        for task, due in self._due.items():
            if due <= (now := self._clock()):
                self._due[task] = now + task.every_s
                self._run_task(task)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self.round()
            self._is_over.wait(_ROUND_S)

    def _run_task(self, task: Task) -> None:
        try:
            task.run()
        except Exception as error:
            logger.warning("A maintenance task failed and is tried again later: %r", error)
        finally:
            close_old_connections()
