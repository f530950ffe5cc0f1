"""What changes in conversations, for the open pages of their owner."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

Change = dict[str, Any]
Kind = Literal["messages", "listed", "deleted"]
MAX_WAITING = 100  # changes that one page has not read yet
MISSED: Change = {"type": "missed"}  # the page reads everything again


class Changes:
    """The pages that listen, by the account that they belong to; None is an open site's visitors.

    Used on the event loop only.
    """

    def __init__(self) -> None:
        self._pages: dict[int | None, set[asyncio.Queue[Change]]] = {}

    def publish(self, account: int | None, conversation: UUID, kind: Kind, newest: int | None = None) -> None:
        """Send a change to the account's pages.

        `messages`: there is a message `newest`, or it has ended; without it, any may have changed.
        `listed`: the title, the folder, the pin or the share. `deleted`: it is gone.
        """
        change = {"type": kind, "conversation": str(conversation), "newest": newest}
        for page in self._pages.get(account, ()):
            if page.full():
                _replace_all(page, MISSED)
            else:
                page.put_nowait(change)

    @contextmanager
    def listening(self, account: int | None) -> Iterator[asyncio.Queue[Change]]:
        """A queue that receives the account's changes while the block runs."""
        page: asyncio.Queue[Change] = asyncio.Queue(MAX_WAITING)
        pages = self._pages.setdefault(account, set())
        pages.add(page)
        try:
            yield page
        finally:
            pages.discard(page)
            if not pages:
                self._pages.pop(account, None)


def _replace_all(page: asyncio.Queue[Change], change: Change) -> None:
    while not page.empty():
        page.get_nowait()
    page.put_nowait(change)


CHANGES = Changes()
