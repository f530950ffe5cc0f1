"""The pool's clock: one tick a second, and one dispatch for all changes of a turn of the event loop."""

import asyncio
import logging
from collections.abc import Callable

from inference.pool.residency.background_tasks import BackgroundTasks

logger = logging.getLogger(__name__)
_TICK_S = 1.0


class Ticker:
    """Calls `tick` once a second from the first `begin` on, and `dispatch` soon after `request_dispatch`."""

    def __init__(
        self, tasks: BackgroundTasks, *, tick: Callable[[], None], dispatch: Callable[[], None]
    ) -> None:
        self._tasks = tasks
        self._tick = tick
        self._dispatch = dispatch
        self._task: asyncio.Task[None] | None = None
        self._is_dispatch_due = False
        self._is_stopped = False
        self.loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Tick on the running loop, unless it does so already."""
        self.loop = asyncio.get_running_loop()
        if not self._task or self._task.done():
            self._task = self._tasks.spawn(self._run())

    def stop(self) -> None:
        self._is_stopped = True
        if self._task:
            self._task.cancel()

    def request_dispatch(self) -> None:
        """Dispatch on the loop's next turn, once for all changes until then."""
        if not self._is_dispatch_due:
            self._is_dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch_now)

    def _dispatch_now(self) -> None:
        self._is_dispatch_due = False
        self._dispatch()

    async def _run(self) -> None:
        while not self._is_stopped:
            await asyncio.sleep(_TICK_S)
            try:
                self._tick()
            except Exception:
                logger.exception("The pool's maintenance failed; it goes on")
