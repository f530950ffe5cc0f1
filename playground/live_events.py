"""What changes in a visitor's conversations, sent to all of the visitor's windows as it happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MOST_WAITING = 200  # events of one window that does not read them
LIST_CHANGED = {"type": "conversations"}


class LiveEvents:
    """Queues of events, by owner. Lives on the event loop."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[dict[str, Any]]]] = {}

    def publish(self, owner: str, event: dict[str, Any]) -> None:
        """Send it to the owner's windows; one that reads too slowly is told to load the list again."""
        for queue in self._queues.get(owner, ()):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(LIST_CHANGED)
            queue.put_nowait(event)

    @contextmanager
    def subscribed(self, owner: str) -> Iterator["asyncio.Queue[dict[str, Any]]"]:
        """The events of this owner while the block runs."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MOST_WAITING)
        queues = self._queues.setdefault(owner, set())
        queues.add(queue)
        try:
            yield queue
        finally:
            queues.discard(queue)
            if not queues:
                self._queues.pop(owner, None)


LIVE_EVENTS = LiveEvents()
