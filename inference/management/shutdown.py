"""The shutdown of `manage.py serve` on Ctrl-C."""

import asyncio
from collections.abc import Callable

from inference.core.threads import FILES
from inference.serving import runtime
from mlxsite.server import StreamServer

_FLUSH_S = 2.0


class Shutdown:
    """The shutdown after SIGINT or SIGTERM; a second signal stops the server at once.

    1. Stop the downloads; they can be resumed.
    2. Close the pool: it ends active requests with an error, and then the workers.
    3. Wait up to _FLUSH_S until clients have received the errors.
    4. Stop the server.
    """

    def __init__(self, server: StreamServer, write: Callable[[str], None]) -> None:
        self._server = server
        self._write = write
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_started = False

    def keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start(self) -> None:
        """Start the shutdown, or stop at once if it has started already."""
        if self._has_started:
            self._server.stop()
            return
        self._has_started = True
        self.keep(asyncio.get_running_loop().create_task(self._stop()))
        self._write("\nStopping; active requests end with an error. Press Ctrl-C again to stop at once.")

    async def _stop(self) -> None:
        try:
            await FILES.run(runtime.downloads().close)
            await runtime.pool().close()
            # The error events of the streams are being sent; give clients a moment to receive them.
            await self._server.drain(_FLUSH_S)
        finally:
            self._server.stop()  # also after an error above
