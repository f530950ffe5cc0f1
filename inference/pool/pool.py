"""Who is resident: single-flight loads, leases, and LRU eviction of the idle under a byte budget.

All methods run on one asyncio loop, so each stretch without an `await` is a critical section: a
decision and the bytes it reserves are never apart. `snapshot` alone may be called from any thread.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from inference import tracing
from inference.errors import (
    InvalidValue,
    ModelLoadFailed,
    ModelNotFound,
    ModelTooLarge,
    QueueFull,
    ServerError,
    ShuttingDown,
)
from inference.pool import budget
from inference.pool.lease import Lease, Waiter
from inference.pool.resident import Resident
from inference.pool.runner import Runner, StartRunner
from inference.types import ModelCard, ModelState, PoolSnapshot, ResidentModel

logger = logging.getLogger(__name__)
_FAILURE_SHOWN_S = 300.0


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
        max_leases: int = 32,
        wait_limit_s: float = 300.0,
        keep_spare: bool = True,
    ) -> None:
        self._find_card = find_card
        self._start_runner = start_runner
        self._limit = limit_bytes
        self._queue_limit = queue_limit
        self._max_leases = max_leases
        self._load_timeout_s = load_timeout_s
        self._wait_limit_s = wait_limit_s
        self._keep_spare = keep_spare
        self._residents: dict[str, Resident] = {}
        self._waiters: deque[Waiter] = deque()
        self._failures: dict[str, tuple[float, str]] = {}
        self._spare: Runner | None = None
        self._is_spare_ready = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_closing = False
        self.loop: asyncio.AbstractEventLoop | None = None

    def lease(self, model_id: str) -> Lease:
        """A claim on `model_id`; entering it joins the queue, leaving it lets the model go."""
        return Lease(self, model_id, self._wait_limit_s)

    async def load(self, model_id: str) -> None:
        """Begin to load a model and return at once; raises what a request would be refused with."""
        waiter = await self.join(model_id)
        waiter.granted.add_done_callback(lambda _: self.leave(waiter))

    async def unload(self, model_id: str) -> bool:
        """Unload a model once its last stream has ended; False when it is not resident."""
        resident = self._residents.get(model_id)
        if not resident:
            return False
        if resident.state == ModelState.LOADING:
            raise InvalidValue("This model is still loading; unload it when it is ready.")
        resident.state = ModelState.DRAINING
        self._let_go_if_drained(resident)
        return True

    async def warm_up(self) -> None:
        """Start the spare worker ahead of the first request."""
        self.loop = asyncio.get_running_loop()
        logger.info("Models may use %s of memory", budget.in_gb(self._limit))
        self._start_spare()

    def snapshot(self) -> PoolSnapshot:
        """The pool at this moment; callable from any thread."""
        now = time.monotonic()
        residents = list(self._residents.values())
        failed = [
            ResidentModel(id=model_id, state=ModelState.FAILED, reason=reason)
            for model_id, (until, reason) in list(self._failures.items())
            if until > now and model_id not in self._residents
        ]
        return PoolSnapshot(
            limit_bytes=self._limit,
            reserved_bytes=budget.reserved(residents),
            waiting=len(self._waiters),
            models=(*(resident.shown(now) for resident in residents), *failed),
            is_spare_ready=self._is_spare_ready,
        )

    async def close(self) -> None:
        """End every worker; whoever still streams or waits is told that the site shuts down."""
        self.is_closing = True
        for waiter in list(self._waiters):
            self._refuse(waiter, ShuttingDown("The server is shutting down."))
        runners = [resident.runner for resident in self._residents.values()]
        if self._spare:
            runners.append(self._spare)
        await asyncio.gather(*(runner.stop() for runner in runners))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # The queue: join, leave and dispatch are all there is to it.

    async def join(self, model_id: str) -> Waiter:
        """Queue for a model; raises at once what waiting could not mend."""
        self.loop = asyncio.get_running_loop()
        card = self._servable(model_id, await asyncio.to_thread(self._find_card, model_id))
        waiter = Waiter(card, self.loop.create_future())
        self._waiters.append(waiter)
        self._dispatch()
        if waiter in self._waiters and len(self._waiters) > self._queue_limit:
            self._waiters.remove(waiter)
            raise QueueFull("Too many requests are waiting for a model; try again shortly.", retry_after=2)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give the claim back, wherever it is: queued, granted or refused."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if not waiter.granted.done():
            waiter.granted.cancel()
        elif not waiter.granted.cancelled() and waiter.granted.exception() is None:
            self._release(waiter.granted.result())
        self._dispatch()

    def _servable(self, model_id: str, card: ModelCard | None) -> ModelCard:
        if self.is_closing:
            raise ShuttingDown("The server is shutting down.")
        if card is None:
            raise ModelNotFound(
                f"There is no model {model_id!r} here; GET /v1/models lists them.", param="model"
            )
        if not card.is_servable:
            raise ModelLoadFailed(f"The model {model_id!r} cannot be served: {card.problem}", param="model")
        if card.resident_bytes > self._limit:
            raise ModelTooLarge(
                f"The model {model_id!r} needs {budget.in_gb(card.resident_bytes)} of memory; the limit is "
                f"{budget.in_gb(self._limit)}: raise MLX_SERVER_MEMORY_LIMIT or pick a smaller model.",
                param="model",
            )
        return card

    def _dispatch(self) -> None:
        """Grant whoever can be granted, in order; the first who needs room gets it before any later one."""
        is_room_contended = self.is_closing
        for waiter in list(self._waiters):
            resident = self._residents.get(waiter.card.id)
            if resident and resident.state == ModelState.READY and resident.leases < self._max_leases:
                self._grant(waiter, resident)
            elif not resident and not is_room_contended:
                is_room_contended = not self._try_to_load(waiter.card)

    def _grant(self, waiter: Waiter, resident: Resident) -> None:
        self._waiters.remove(waiter)
        if not waiter.granted.done():
            resident.leases += 1
            waiter.granted.set_result(resident)

    def _refuse(self, waiter: Waiter, error: ServerError) -> None:
        self._waiters.remove(waiter)
        if not waiter.granted.done():
            waiter.granted.set_exception(error)

    def _release(self, resident: Resident) -> None:
        resident.leases -= 1
        resident.last_used = time.monotonic()
        self._let_go_if_drained(resident)

    # Loading and unloading.

    def _try_to_load(self, card: ModelCard) -> bool:
        """Begin the load if the budget has room now; otherwise evict for it and return False."""
        residents = list(self._residents.values())
        if card.resident_bytes <= self._limit - budget.reserved(residents):
            self._begin_load(card)
            return True
        for victim in budget.victims(residents, card.resident_bytes, self._limit):
            logger.info(
                "Evicting %s (idle %.0f s, %s) to load %s, which needs %s of %s",
                victim.card.id,
                time.monotonic() - victim.last_used,
                budget.in_gb(victim.bytes),
                card.id,
                budget.in_gb(card.resident_bytes),
                budget.in_gb(self._limit),
            )
            victim.state = ModelState.DRAINING
            self._let_go_if_drained(victim)
        return False

    def _begin_load(self, card: ModelCard) -> None:
        runner, self._spare, self._is_spare_ready = self._spare or self._start_runner(), None, False
        resident = Resident(card, runner)
        self._residents[card.id] = resident
        self._failures.pop(card.id, None)
        self._spawn(self._load(resident))

    async def _load(self, resident: Resident) -> None:
        started = time.monotonic()

        def on_progress(percent: int) -> None:
            resident.percent = percent

        try:
            with tracing.load_span(resident.card):
                async with asyncio.timeout(self._load_timeout_s):
                    loaded = await resident.runner.load(resident.card, on_progress)
        except TimeoutError:
            await self._give_up(resident, f"loading took longer than {self._load_timeout_s:.0f} s")
        except ServerError as error:
            await self._give_up(resident, error.message)
        else:
            resident.state, resident.percent = ModelState.READY, 100
            resident.load_s = time.monotonic() - started
            resident.last_used = time.monotonic()
            logger.info(
                "Model loaded: %s (%.1f s, %s)",
                resident.card.id,
                resident.load_s,
                budget.in_gb(loaded.memory.active),
            )
            logger.info("Worker %s: %s", resident.runner.pid, budget.figures(loaded.memory))
            self._spawn(self._watch(resident))
        self._dispatch()
        self._start_spare()

    async def _give_up(self, resident: Resident, reason: str) -> None:
        """Turn a failed load into an answer for all who wait for it, and a state that decays."""
        logger.warning("Model %s failed to load: %s", resident.card.id, reason)
        await resident.runner.stop()
        del self._residents[resident.card.id]
        self._failures[resident.card.id] = (time.monotonic() + _FAILURE_SHOWN_S, reason)
        for waiter in [w for w in self._waiters if w.card.id == resident.card.id]:
            self._refuse(waiter, ModelLoadFailed(f"The model {resident.card.id!r} did not load: {reason}"))

    async def _watch(self, resident: Resident) -> None:
        """Forget a model whose worker ended by itself; the next request loads it anew."""
        await resident.runner.wait_ended()
        if (
            self._residents.get(resident.card.id) is resident
            and not resident.is_leaving
            and not self.is_closing
        ):
            logger.error("The worker of %s (pid %s) died", resident.card.id, resident.runner.pid)
            resident.state = ModelState.DRAINING
            await self._unload(resident)

    def _let_go_if_drained(self, resident: Resident) -> None:
        if resident.is_leaving and resident.leases == 0 and self._residents.get(resident.card.id) is resident:
            self._spawn(self._unload(resident))

    async def _unload(self, resident: Resident) -> None:
        """End the worker; only then are its bytes free."""
        await resident.runner.stop()
        if self._residents.get(resident.card.id) is resident:
            del self._residents[resident.card.id]
        self._dispatch()

    def _start_spare(self) -> None:
        if self._keep_spare and not self._spare and not self.is_closing:
            self._spare = self._start_runner()
            self._spawn(self._warm(self._spare))

    async def _warm(self, spare: Runner) -> None:
        await spare.warm_up()
        self._is_spare_ready = self._spare is spare
        logger.info("Spare worker %s is ready: %s", spare.pid, budget.figures(spare.memory))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        # The loop keeps only weak references to tasks: one without a holder may vanish half done.
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
