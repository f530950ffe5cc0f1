"""The pool's decisions on their way into the database."""

from collections.abc import Callable, Sequence

from django.db import close_old_connections

from inference.core.pool_state import PoolEvent as Event
from inference.models import PoolEvent
from inference.storage.background_writer import Writer


def write(event: Event) -> None:
    """One row; OperationalError or InterfaceError when it cannot be written now."""
    try:
        PoolEvent.objects.record(event)
    finally:
        close_old_connections()


class Journal(Writer[Event]):
    """Call it with an event; a thread writes it soon."""

    def __init__(
        self, write: Callable[[Event], None] = write, *, room: int = 1000, try_again_s: float = 2.0
    ) -> None:
        def each(events: Sequence[Event]) -> None:
            for event in events:
                write(event)

        super().__init__(each, name="the pool's decisions", room=room, try_again_s=try_again_s)
