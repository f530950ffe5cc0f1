"""Whether words may be kept now: known without asking the database."""

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from inference.models.request_record import Capture


class Switch:
    """Off until it is told of an end that lies ahead; it goes off by itself."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._until = 0.0

    def is_on(self) -> bool:
        return self._now() < self._until

    @property
    def until(self) -> float:
        """When it goes off (unix time); 0 while it is off."""
        return self._until if self.is_on() else 0.0

    def set(self, until: float) -> None:
        self._until = until

    def refresh(self) -> None:
        """Look into the database: not for the event loop."""
        end = Capture.objects.end()
        self.set(end.timestamp() if end else 0.0)


SWITCH = Switch()


def feel(**signal: Any) -> None:
    """Have a capture that was begun or ended in this process felt once it is committed."""
    transaction.on_commit(SWITCH.refresh)
