"""The spare worker: its imports are done, so that a load costs only the weights."""

import asyncio
import logging
import time

from inference.pool.residency import eviction
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.workers.runner import Runner, StartRunner

logger = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_QUICK_S = 60.0  # one that was warm for less has ended quickly


class SpareWorker:
    """Keeps at most one runner warm; with `is_kept` false it starts a runner only when one is taken.

    One that ends before it is needed is replaced after a pause, which doubles with each that ends quickly: a
    site that is not ready because of it may get no request whose load would start another.
    """

    def __init__(
        self, start_runner: StartRunner, ledger: MemoryLedger, tasks: BackgroundTasks, *, is_kept: bool
    ) -> None:
        self._start_runner = start_runner
        self._ledger = ledger
        self._tasks = tasks
        self._is_kept = is_kept
        self._runner: Runner | None = None
        self.is_ready = False
        self.has_failed = False  # the last one ended before it was needed
        self._pause_s = _FIRST_PAUSE_S

    @property
    def pid(self) -> int | None:
        return self._runner.pid if self._runner else None

    def start(self) -> None:
        """Start the next spare worker, unless there is one."""
        if self._is_kept and not self._runner:
            self._runner = self._start_runner()
            self._tasks.spawn(self._keep_warm(self._runner))

    def take(self) -> Runner:
        """Hand over the spare worker, or a new one where there is none."""
        runner, self._runner, self.is_ready = self._runner or self._start_runner(), None, False
        return runner

    def start_cold(self) -> Runner:
        """Start a runner beside the spare worker."""
        return self._start_runner()

    async def wait_warm(self) -> None:
        """Wait until the spare worker is warm and has reported the memory limit of its device."""
        if runner := self._runner:
            await self._warmed_up(runner)
            self._ledger.learn_limit(runner.device_bytes)

    async def close(self) -> None:
        """Stop the spare worker and start no other one."""
        self._is_kept = False
        if self._runner:
            await self._runner.stop()

    async def _keep_warm(self, runner: Runner) -> None:
        """Warm the worker up, and replace it if it ends before it is needed."""
        if await self._warmed_up(runner) and self._runner is runner:
            await self._idle(runner)
        if self._runner is not runner or not self._is_kept:
            return
        logger.warning("The spare worker ended: %s", runner.end_reason)
        self._runner, self.is_ready, self.has_failed = None, False, True
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_PAUSE_S)
        await asyncio.sleep(pause_s)
        self.start()

    async def _idle(self, runner: Runner) -> None:
        """A warm worker waits until it is taken or ends."""
        warm_at = time.monotonic()
        self.is_ready, self.has_failed = True, False
        self._ledger.learn_limit(runner.device_bytes)
        logger.info("Spare worker %s is ready: %s", runner.pid, eviction.figures(runner.memory))
        await runner.wait_ended()
        if time.monotonic() - warm_at > _QUICK_S:
            self._pause_s = _FIRST_PAUSE_S

    async def _warmed_up(self, runner: Runner) -> bool:
        try:
            return await runner.warm_up()
        except Exception:  # the boundary: whatever broke, the next one may start
            logger.exception("Starting the spare worker broke")
            return False
