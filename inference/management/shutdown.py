"""The shutdown of `manage.py serve` on Ctrl-C and SIGTERM."""

import asyncio
import contextlib
from collections.abc import Callable

from inference.core.threads import FILES
from inference.fronts import front
from inference.serving import gguf_imports, quantising, runtime
from inference.serving.active_requests import STREAMS
from mlxsite.server import StreamServer

_FLUSH_S = 2.0


class Shutdown:
    """The shutdown after a signal; a second signal stops the server at once.

    0. After a SIGTERM: take no more requests, and wait up to `drain_s` until the running ones are answered.
    1. Stop the downloads, which can be resumed, the quantisations and the imports.
    2. Close the pool: it ends active requests with an error, and then the workers.
    3. Wait up to _FLUSH_S until clients have received the errors.
    4. Give other fronts what this one held, and stop the server.
    """

    def __init__(self, server: StreamServer, write: Callable[[str], None]) -> None:
        self._server = server
        self._write = write
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_started = False

    def keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start(self, drain_s: float = 0.0) -> None:
        """Start the shutdown, or stop at once if it has started already."""
        if self._has_started:
            self._server.stop()
            return
        self._has_started = True
        running = len(STREAMS.snapshot())
        may_finish = bool(drain_s and running)
        self.keep(asyncio.get_running_loop().create_task(self._stop(drain_s if may_finish else 0.0)))
        what = f"{running} active requests may finish within {drain_s:g} s, then they"
        what = what if may_finish else "active requests"
        self._write(f"\nStopping; {what} end with an error. Press Ctrl-C again to stop at once.")

    async def _drain(self, limit_s: float) -> None:
        runtime.pool().drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await STREAMS.join()

    async def _stop(self, drain_s: float) -> None:
        try:
            if drain_s:
                await self._drain(drain_s)
            await FILES.run(runtime.downloads().close)
            await FILES.run(quantising.register().close)
            await FILES.run(gguf_imports.register().close)
            await runtime.pool().close()
            # The error events of the streams are being sent; give clients a moment to receive them.
            await self._server.drain(_FLUSH_S)
            await front.end()
        finally:
            self._server.stop()  # also after an error above
