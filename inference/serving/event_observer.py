"""The port of everything that follows the events of a request: quota, capture, trace and record."""

from typing import Protocol

from inference.core.events import Event


class EventObserver(Protocol):
    """Takes each event before the client gets it."""

    def note(self, event: Event) -> None:
        """Take one event. It is called for every token, so it must be O(1) and must not block.

        A ServerError that it raises ends the request; observers after it do not get the event.
        """
        ...
