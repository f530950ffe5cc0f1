"""The journal of the pool's decisions in the database."""

from collections.abc import Callable, Sequence

from django.db import close_old_connections

from inference.core.pool_state import PoolEvent as Event
from inference.models import PoolEvent
from inference.storage.background_writer import BackgroundWriter


def write(event: Event) -> None:
    """Write one row; raises OperationalError or InterfaceError when it cannot be written now."""
    try:
        PoolEvent.objects.record(event)
    finally:
        close_old_connections()


class Journal(BackgroundWriter[Event]):
    """Call it with an event; a thread writes it soon."""

    def __init__(
        self, write: Callable[[Event], None] = write, *, capacity: int = 1000, retry_after_s: float = 2.0
    ) -> None:
        def write_each(events: Sequence[Event]) -> None:
            for event in events:
                write(event)

        super().__init__(
            write_each, name="the pool's decisions", capacity=capacity, retry_after_s=retry_after_s
        )
