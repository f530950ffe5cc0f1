"""The load of a worker's model: its progress, and how it ends."""

import asyncio
from collections.abc import Callable

from inference.core.cpu_tuning import CpuTuning, Tune
from inference.core.errors import ModelLoadFailed
from inference.core.load_progress import LoadProgress, OnLoadProgress
from inference.core.pool_state import Loaded

_KNOWN_WITHIN_S = 0.1  # a stored tuning is read in less


class PendingLoad:
    """Progress is noted from the start of the process on, and reported once a load has begun."""

    def __init__(self) -> None:
        self.progress = LoadProgress()
        self._report: Callable[[LoadProgress], None] = lambda progress: None
        self._end: asyncio.Future[Loaded] | None = None

    def begin(self, report: OnLoadProgress) -> "asyncio.Future[Loaded]":
        """Report all progress from now on, first what has been reached; returns what the load will give."""
        self._report, self._end = report, asyncio.get_running_loop().create_future()
        report(self.progress)
        return self._end

    def note(self, progress: LoadProgress) -> None:
        self.progress = progress
        self._report(progress)

    async def tuning(self, tune: Tune) -> CpuTuning:
        """What the process is started with: known at once, or measured, which is a phase of its own."""
        measuring = asyncio.ensure_future(asyncio.to_thread(tune))
        await asyncio.wait([measuring], timeout=_KNOWN_WITHIN_S)
        if not measuring.done():
            self.note(LoadProgress(phase="calibrating"))
        tuning = await measuring
        self.note(LoadProgress(phase="starting"))
        return tuning

    def resolve(self, result: Loaded | ModelLoadFailed) -> None:
        """End the load, if one has begun and has not ended."""
        if not self._end or self._end.done():
            return
        if isinstance(result, Loaded):
            self._end.set_result(result)
        else:
            self._end.set_exception(result)
