"""The operator's choices as last read from the database, also while it cannot be read."""

from collections.abc import Callable, Mapping

from django.db import close_old_connections

from inference.core.model_card import Choice
from inference.models import ServedModel
from inference.storage.last_read import LastRead

Chosen = Mapping[str, Choice]


def read() -> Chosen:
    """Read the choices from the database."""
    try:
        return ServedModel.objects.choices()
    finally:
        close_old_connections()


class Choices(LastRead[Chosen]):
    """Call it for the choices."""

    def __init__(self, read: Callable[[], Chosen] = read, timeout_s: float = 1.0) -> None:
        super().__init__(read, {}, "Pins, idle times and aliases", timeout_s)
