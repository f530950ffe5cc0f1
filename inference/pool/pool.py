"""Who is resident: single-flight loads, leases, and LRU eviction of the idle under a byte budget.

All methods run on one asyncio loop, so each stretch without an `await` is a critical section: a
decision and the bytes it reserves are never apart. `snapshot` alone may be called from any thread.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType

from inference.errors import (
    InvalidValue,
    ModelLoadFailed,
    ModelNotFound,
    ModelTooLarge,
    PoolFull,
    QueueFull,
    ServerError,
    ShuttingDown,
)
from inference.pool.runner import Runner, StartRunner
from inference.types import Loaded, ModelCard, ModelState, PoolSnapshot, Progress, ResidentModel

logger = logging.getLogger(__name__)
_PROGRESS_EVERY_S = 0.2
_FAILURE_SHOWN_S = 300.0


@dataclass(eq=False)
class Resident:
    """A model that holds bytes of the budget: loading, ready, or giving them back."""

    card: ModelCard
    runner: Runner
    state: ModelState = ModelState.LOADING
    leases: int = 0
    percent: int = 0
    load_s: float = 0.0
    last_used: float = field(default_factory=time.monotonic)
    loaded: Loaded | None = None
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def is_evictable(self) -> bool:
        return self.state == ModelState.READY and self.leases == 0

    @property
    def bytes(self) -> int:
        """What it takes of the budget: the prediction, or what its worker reports when that is more."""
        return max(self.card.resident_bytes, self.runner.memory.active)


@dataclass(eq=False)
class Waiter:
    """One request in the queue for a model."""

    model_id: str
    granted: "asyncio.Future[Resident]"


class Lease:
    """A claim on one model, from the queue to the last token: `async with pool.lease(id) as lease`."""

    def __init__(self, pool: "Pool", model_id: str) -> None:
        self._pool = pool
        self._model_id = model_id
        self._waiter: Waiter | None = None

    async def __aenter__(self) -> "Lease":
        self._waiter = await self._pool._join(self._model_id)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiter:
            self._pool._leave(self._waiter)

    async def progress(self) -> AsyncIterator[Progress]:
        """Yield what the request waits for, each time it changes, until the model is ours."""
        assert self._waiter, "enter the lease first"
        granted, last = self._waiter.granted, None
        while not granted.done():
            now = self._pool._progress_of(self._model_id)
            if now != last:
                yield now
            last = now
            await asyncio.wait([granted], timeout=_PROGRESS_EVERY_S)
        granted.result()

    @property
    def runner(self) -> Runner:
        assert self._waiter, "enter the lease first"
        return self._waiter.granted.result().runner


class Pool:
    """The resident models of this site."""

    def __init__(
        self,
        *,
        find_card: Callable[[str], ModelCard | None],
        start_runner: StartRunner,
        limit_bytes: int,
        queue_limit: int,
        load_timeout_s: float,
        keep_spare: bool = True,
    ) -> None:
        self._find_card = find_card
        self._start_runner = start_runner
        self._limit = limit_bytes
        self._queue_limit = queue_limit
        self._load_timeout_s = load_timeout_s
        self._keep_spare = keep_spare
        self._residents: dict[str, Resident] = {}
        self._waiters: deque[Waiter] = deque()
        self._failures: dict[str, tuple[float, str]] = {}
        self._spare: Runner | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.loop: asyncio.AbstractEventLoop | None = None

    # -- what the site asks for ---------------------------------------------------------------------

    def lease(self, model_id: str) -> Lease:
        """A claim on `model_id`; entering it joins the queue, leaving it lets the model go."""
        return Lease(self, model_id)

    async def load(self, model_id: str) -> None:
        """Begin to load a model and return at once; raises what a request would be refused with."""
        waiter = await self._join(model_id)
        waiter.granted.add_done_callback(lambda _: self._leave(waiter))

    async def unload(self, model_id: str) -> bool:
        """Unload a model once its last stream has ended; False when it is not resident."""
        resident = self._residents.get(model_id)
        if not resident:
            return False
        if resident.state == ModelState.LOADING:
            raise InvalidValue("This model is still loading; unload it when it is ready.")
        resident.state = ModelState.DRAINING
        if resident.leases == 0:
            self._evict(resident, why="asked to")
        return True

    async def warm_up(self) -> None:
        """Start the spare worker ahead of the first request."""
        self.loop = asyncio.get_running_loop()
        self._start_spare()

    def snapshot(self) -> PoolSnapshot:
        """The pool at this moment; callable from any thread."""
        now = time.monotonic()
        shown = [self._shown(resident, now) for resident in list(self._residents.values())]
        for model_id, (until, reason) in list(self._failures.items()):
            if until > now and model_id not in self._residents:
                shown.append(ResidentModel(id=model_id, state=ModelState.FAILED, reason=reason))
        return PoolSnapshot(
            limit_bytes=self._limit,
            reserved_bytes=sum(model.reserved_bytes for model in shown),
            waiting=len(self._waiters),
            models=tuple(shown),
            is_spare_ready=self._spare is not None,
        )

    async def close(self) -> None:
        """End every worker; whoever still streams or waits is told that the site shuts down."""
        self._is_closing = True
        for waiter in list(self._waiters):
            self._refuse(waiter, ShuttingDown("The server is shutting down."))
        runners = [resident.runner for resident in self._residents.values()]
        if self._spare:
            runners.append(self._spare)
        self._spare = None
        await asyncio.gather(*(runner.stop() for runner in runners))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- the queue ----------------------------------------------------------------------------------

    async def _join(self, model_id: str) -> Waiter:
        self.loop = asyncio.get_running_loop()
        if self._is_closing:
            raise ShuttingDown("The server is shutting down.")
        card = await asyncio.to_thread(self._find_card, model_id)
        if card is None:
            raise ModelNotFound(f"The model {model_id!r} does not exist here.", param="model")
        if not card.is_servable:
            raise ModelLoadFailed(f"The model {model_id!r} cannot be served: {card.problem}")
        if card.resident_bytes > self._limit:
            raise ModelTooLarge(
                f"The model {model_id!r} needs {_gb(card.resident_bytes)} of memory; the limit is "
                f"{_gb(self._limit)} (MLX_SERVER_MEMORY_LIMIT)."
            )
        waiter = Waiter(model_id, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._dispatch()
        if waiter in self._waiters and len(self._waiters) > self._queue_limit and not self._is_loading(model_id):
            self._waiters.remove(waiter)
            raise QueueFull("Too many requests are waiting; try again shortly.", retry_after=2)
        return waiter

    def _leave(self, waiter: Waiter) -> None:
        """Give the claim back, wherever it is: queued, granted or refused. Idempotent."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if not waiter.granted.done():
            waiter.granted.cancel()
            return
        if waiter.granted.cancelled() or waiter.granted.exception():
            return
        resident = waiter.granted.result()
        resident.leases -= 1
        resident.last_used = time.monotonic()
        if resident.state == ModelState.DRAINING and resident.leases == 0:
            self._evict(resident, why="drained")
        self._dispatch()
