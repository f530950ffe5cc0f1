"""What changes in conversations, for the open pages of their owner."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers

Change = dict[str, Any]
_CHANGE = "change"  # what fronts tell each other
MAX_WAITING = 100  # changes that one page has not read yet
MISSED: Change = {"type": "missed"}  # the page reads everything again
LISTED: Change = {"type": "listed"}  # titles, folders, pins or shares


def messages(conversation: UUID, newest: int | None = None) -> Change:
    """There is a message `newest`, or it has ended; without it, any may have changed."""
    return {"type": "messages", "conversation": str(conversation), "newest": newest}


def deleted(conversation: UUID) -> Change:
    return {"type": "deleted", "conversation": str(conversation)}


def title(conversation: UUID, text: str) -> Change:
    """The model has written a title."""
    return {"type": "title", "conversation": str(conversation), "title": text}


def answering(conversations: Iterable[str]) -> Change:
    """The conversations in which an answer is in progress now."""
    return {"type": "answering", "conversations": list(conversations)}


class Changes:
    """The pages that listen, by the owner of their conversations (`Principal.owner`).

    Used on the event loop only.
    """

    def __init__(
        self, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._pages: dict[str, set[asyncio.Queue[Change]]] = {}
        self._find_front = find_front
        handlers.on(_CHANGE, lambda body: self.publish(body["owner"], body["change"]))

    def publish_everywhere(self, owner: str, change: Change) -> None:
        """Send a change to the owner's pages, of all fronts."""
        self.publish(owner, change)
        if front := self._find_front():
            front.say(_CHANGE, {"owner": owner, "change": change})

    def publish_to_all(self, change: Change) -> None:
        """Send a change to every page of this front."""
        for owner in self._pages:
            self.publish(owner, change)

    def publish(self, owner: str, change: Change) -> None:
        """Send a change to the owner's pages of this front.

        One that reads too slowly gets the event to reload everything.
        """
        for page in self._pages.get(owner, ()):
            if page.full():
                _replace_all(page, MISSED)
            else:
                page.put_nowait(change)

    @contextmanager
    def listening(self, owner: str) -> Iterator[asyncio.Queue[Change]]:
        """A queue that receives the owner's changes while the block runs."""
        page: asyncio.Queue[Change] = asyncio.Queue(MAX_WAITING)
        pages = self._pages.setdefault(owner, set())
        pages.add(page)
        try:
            yield page
        finally:
            pages.discard(page)
            if not pages:
                self._pages.pop(owner, None)


def _replace_all(page: asyncio.Queue[Change], change: Change) -> None:
    while not page.empty():
        page.get_nowait()
    page.put_nowait(change)


CHANGES = Changes()
