"""Whether prompts and answers are captured now, known without a query to the database."""

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from inference.fronts.front import tell_others
from inference.fronts.handlers import HANDLERS
from inference.models.request_record import Capture
from inference.storage.database_threads import beside

CAPTURE_CHANGED = "capture_changed"  # what fronts tell each other


class Switch:
    """On until the end of the current capture; it switches itself off then."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._until = 0.0

    def is_on(self) -> bool:
        return self._now() < self._until

    @property
    def until(self) -> float:
        """When the capture ends (unix time); 0 while there is none."""
        return self._until if self.is_on() else 0.0

    def set(self, until: float) -> None:
        """Capture until this unix time; 0 or a past time ends the capture."""
        self._until = until

    def refresh(self) -> None:
        """Read the end of the capture from the database; blocks, so not for the event loop."""
        end = Capture.objects.end()
        self.set(end.timestamp() if end else 0.0)


SWITCH = Switch()


def on_change(**signal: Any) -> None:
    """Refresh the switch once a capture that began or ended in this process is committed, at all fronts."""
    transaction.on_commit(SWITCH.refresh)
    transaction.on_commit(lambda: tell_others(CAPTURE_CHANGED), robust=True)


def listen() -> None:
    """Apply what other fronts have saved."""
    HANDLERS.on(CAPTURE_CHANGED, lambda body: beside(SWITCH.refresh))
