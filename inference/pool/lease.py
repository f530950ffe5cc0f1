"""A claim on one model, from the queue to the last token."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from inference.errors import PoolFull
from inference.pool.resident import Resident
from inference.pool.runner import Runner
from inference.types import ModelCard, ModelState, PoolSnapshot, Progress

_PROGRESS_EVERY_S = 0.2


@dataclass(eq=False)
class Waiter:
    """One request in the queue for a model."""

    card: ModelCard
    granted: "asyncio.Future[Resident]"
    since: float = field(default_factory=time.monotonic)


class Keeper(Protocol):
    """Who grants claims and takes them back: the pool."""

    async def join(self, model_id: str) -> Waiter: ...

    def leave(self, waiter: Waiter) -> None: ...

    def snapshot(self) -> PoolSnapshot: ...


class Lease:
    """`async with pool.lease(id) as lease`: follow `progress()` to its end, then use `runner`."""

    def __init__(self, pool: Keeper, model_id: str, wait_limit_s: float) -> None:
        self._pool = pool
        self._model_id = model_id
        self._wait_limit_s = wait_limit_s
        self._waiter: Waiter | None = None

    async def __aenter__(self) -> Self:
        self._waiter = await self._pool.join(self._model_id)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiter:
            self._pool.leave(self._waiter)

    async def progress(self) -> AsyncIterator[Progress]:
        """Yield what the request waits for, each time it changes, until the model is ours.

        Raises ModelLoadFailed, ShuttingDown, or PoolFull when no room came in time.
        """
        waiter = self._entered()
        last: Progress | None = None
        while not waiter.granted.done():
            now = self._waits_for()
            if now != last:
                yield now
            last = now
            if now.phase == "queued" and time.monotonic() - waiter.since > self._wait_limit_s:
                raise PoolFull("Every model that is loaded is busy; try again shortly.", retry_after=5)
            await asyncio.wait([waiter.granted], timeout=_PROGRESS_EVERY_S)
        waiter.granted.result()

    @property
    def runner(self) -> Runner:
        return self._entered().granted.result().runner

    def _entered(self) -> Waiter:
        if not self._waiter:
            raise RuntimeError("enter the lease first")
        return self._waiter

    def _waits_for(self) -> Progress:
        model = self._pool.snapshot().of(self._model_id)
        if model.state == ModelState.LOADING:
            return Progress(phase="loading", done=model.loaded_percent, total=100)
        return Progress(phase="queued")
