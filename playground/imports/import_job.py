"""An import in progress: it runs on a thread, in short turns, and its visitor can follow and cancel it."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import IO, Any

from inference.api.http import errors
from inference.core import garbage
from inference.core.errors import ServerError
from inference.core.threads import Threads
from inference.storage import database_threads
from playground.imports.importer import Importer

logger = logging.getLogger(__name__)
_TURN_S = 0.3  # after each the site may end, and the visitor may cancel
# One import at a time writes: further ones wait in turns, and none takes the threads of other requests.
_IMPORTS = Threads("imports", 1)


class ChatImportJob:
    """Runs an importer over a file; `payload` is how far it is."""

    def __init__(self, importer: Importer, file: IO[bytes], size: int) -> None:
        self._importer = importer
        self._file = file
        self._size = size
        self._is_cancelled = False
        self.is_over = False
        self.error: ServerError | None = None

    def cancel(self) -> None:
        """Stop after the chat that is being imported; those before it stay."""
        self._is_cancelled = True

    async def run(self) -> None:
        """Import the whole file; never raises, for `error` is part of the payload."""
        chats = self._importer.chats(self._file)
        try:
            while not self._is_cancelled and await _on_thread(chats):
                pass
        except Exception as error:  # the boundary: whatever broke, the page shows a message
            if not isinstance(error, ServerError):
                logger.exception("An import failed")
            self.error = errors.explain(error)
        finally:
            self.is_over = True
            with suppress(ValueError):  # the site ends during a turn
                chats.close()
            self._file.close()

    @property
    def payload(self) -> dict[str, Any]:
        """The progress, and the report so far."""
        done = self._size if self._file.closed else self._file.tell()
        return {
            "state": "importing" if not self.is_over else "failed" if self.error else "done",
            "is_cancelled": self._is_cancelled,
            "progress": min(done / self._size, 1.0) if self._size else 1.0,
            "error": self.error.message if self.error else "",
            **self._importer.report.payload,
        }


async def _on_thread(chats: Iterator[None]) -> bool:
    return await database_threads.in_database(partial(_turn, chats), threads=_IMPORTS)


def _turn(chats: Iterator[None]) -> bool:
    """Import chats for a short time; whether there may be more.

    A long chat is hundreds of thousands of objects. None is part of a cycle, and to look at them again and
    again would stop the site for longer than all else that an import does.
    """
    end = time.monotonic() + _TURN_S
    with garbage.paused():
        return any(time.monotonic() > end for _ in chats)
