"""How models come and go: the spare worker, loads, the watch over each worker, unloads."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from inference.core.errors import ModelLoadFailed, ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory, ModelState
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.crash_backoff import CrashBackoff
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.durations import Durations
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.resident import Resident
from inference.pool.workers.runner import Runner, StartRunner

logger = logging.getLogger(__name__)

LoadSpan = Callable[[ModelCard], AbstractContextManager[None]]  # around the load of one model


class Loader:
    """Owns the runners of the residents; the pool decides, this one does it and tells the outcome.

    `on_change` is called whenever a load or an unload is over or a worker reports its memory, `on_failure`
    with the model and the reason before that.
    """

    def __init__(
        self,
        *,
        start_runner: StartRunner,
        load_timeout_s: float,
        keep_spare: bool,
        clock: Callable[[], float],
        room: MemoryLedger,
        history: DecisionLog,
        on_change: Callable[[], None],
        on_failure: Callable[[str, str], None],
        load_span: LoadSpan,
    ) -> None:
        self._start_runner = start_runner
        self._load_timeout_s = load_timeout_s
        self._keep_spare = keep_spare
        self.clock = clock
        self.room = room
        self.history = history
        self.durations = Durations()
        self._on_change = on_change
        self._on_failure = on_failure
        self._load_span = load_span
        self._spare: Runner | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.is_spare_ready = False
        self.setbacks: dict[str, CrashBackoff] = {}

    @property
    def spare_pid(self) -> int | None:
        return self._spare.pid if self._spare else None

    def begin(self, card: ModelCard, promised: int) -> None:
        """Start a load that takes the model's bytes and those promised to the request that needs it."""
        runner, self._spare, self.is_spare_ready = self._spare or self._start_runner(), None, False
        resident = Resident(
            card, runner, self.clock(), kv_per_token=card.kv_bytes_per_token, promised=promised
        )
        self.room.add(resident)
        self.spawn(self._load(resident))

    def carry_out(self, plan: eviction.Plan[Resident], why: str, needed: int = 0) -> None:
        """Shed and evict as planned."""
        for resident, amount in plan.sheds:
            self.shed(resident, amount, why, needed)
        for victim in plan.victims:
            self.evict(victim, why, needed=needed)

    def shed(self, resident: Resident, amount: int, why: str, needed: int = 0) -> None:
        """Ask a worker to give up so many bytes of its prefix cache."""
        name, keep = resident.card.id, resident.sheddable - amount
        text = f"shed {in_gb(amount)} of prefixes of {name}: {why}"
        self.history.record("shed", name, text, needed_bytes=needed)
        resident.shed(keep, self.clock())

    def evict(self, resident: Resident, why: str, *, needed: int = 0, kind: str = "evicted") -> None:
        """Send an idle model away, and tell why."""
        idle_s = self.clock() - resident.last_used
        text = f"{kind} {resident.card.id}: idle {idle_s:.0f} s; {why}"
        self.history.record(kind, resident.card.id, text, needed_bytes=needed, seconds=idle_s)
        self.send_away(resident)

    def send_away(self, resident: Resident) -> None:
        """Take no more streams, and end the worker once the last one is over."""
        resident.state = ModelState.DRAINING
        self.let_go_if_drained(resident)

    def let_go_if_drained(self, resident: Resident) -> None:
        if resident.is_leaving and resident.leases == 0 and not resident.has_been_stopped:
            resident.has_been_stopped = True
            self.spawn(self._unload(resident))

    def break_off(self, resident: Resident, why: str) -> None:
        """End a load under way; whoever waits for it is told why, and nothing is held against the model."""
        self._on_failure(resident.card.id, why)
        if not resident.broken_off:
            resident.broken_off = why
            self.spawn(self._end(resident))

    def setbacks_of(self, model_id: str) -> CrashBackoff:
        return self.setbacks.setdefault(model_id, CrashBackoff())

    def start_spare(self) -> None:
        """Keep one worker with its imports done, so that a load costs only its weights."""
        if self._keep_spare and not self._spare and not self._is_closing:
            self._spare = self._start_runner()
            self.spawn(self._keep_warm(self._spare))

    async def warm(self) -> None:
        """Wait until the spare is warm, and what its device may use is known."""
        if spare := self._spare:
            await spare.warm_up()
            self.room.learn_limit(spare.device_bytes)

    async def close(self) -> None:
        """End every worker, then whatever is still going on here."""
        self._is_closing = True
        ends = [self._end(resident) for resident in self.room.residents]
        spare = [self._spare.stop()] if self._spare else []
        await asyncio.gather(*ends, *spare, return_exceptions=True)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        # The loop keeps only weak references to tasks: one without a holder may vanish half done.
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Loading.

    async def _load(self, resident: Resident) -> None:
        started = self.clock()
        try:
            with self._load_span(resident.card):
                loaded = await self._attempt_twice(resident)
            if resident.broken_off:
                raise ModelLoadFailed(resident.broken_off)
        except ModelLoadFailed as error:
            await self._give_up(resident, error.message, self.clock() - started)
        except Exception:  # the boundary: whatever broke, those who wait are told
            logger.exception("Loading %s broke", resident.card.id)
            why = "an internal error; the server's log has the details"
            await self._give_up(resident, why, self.clock() - started)
        else:
            self._welcome(resident, loaded, self.clock() - started)
        self._on_change()
        self.start_spare()

    async def _attempt_twice(self, resident: Resident) -> Loaded:
        """Load; when that fails for lack of memory while others idle, once more without them."""
        try:
            return await self._attempt(resident)
        except ModelLoadFailed as error:
            idle = [other for other in self.room.residents if other.is_evictable]
            if error.kind != "out_of_memory" or not idle:
                raise
            await self._start_over_without(idle, resident)
            return await self._attempt(resident)

    async def _attempt(self, resident: Resident) -> Loaded:
        """One load; raises ModelLoadFailed."""
        runner = resident.runner
        runner.on_memory(lambda memory: self._take_report(resident, runner, memory))
        try:
            async with asyncio.timeout(self._load_timeout_s):
                return await runner.load(resident.card, lambda percent: _set_percent(resident, percent))
        except TimeoutError:
            why = f"loading took longer than {self._load_timeout_s:.0f} s"
            raise ModelLoadFailed(why, kind="timeout") from None
        except ModelLoadFailed:
            raise
        except ServerError as error:
            raise ModelLoadFailed(error.message, kind="died") from error

    async def _start_over_without(self, idle: list[Resident], resident: Resident) -> None:
        for other in idle:
            self.evict(other, f"there was not enough memory to load {resident.card.id}")
        await asyncio.gather(*(self._end(one) for one in (resident, *idle)))
        if self._is_closing or resident.broken_off:
            raise ModelLoadFailed(resident.broken_off or "the server is shutting down")
        resident.runner, resident.percent = self._start_runner(), 0

    def _welcome(self, resident: Resident, loaded: Loaded, seconds: float) -> None:
        card, now = resident.card, self.clock()
        resident.state, resident.percent, resident.promised = ModelState.READY, 100, 0
        resident.load_s, resident.ready_at, resident.last_used = seconds, now, now
        resident.loaded = loaded
        resident.kv_per_token = loaded.kv_bytes_per_token or resident.kv_per_token
        self.durations.loaded(card.id, seconds)
        self.room.learn_limit(resident.runner.device_bytes)
        self._tell_of(resident, loaded)
        self.spawn(self._watch(resident))

    def _tell_of(self, resident: Resident, loaded: Loaded) -> None:
        setbacks, name = self.setbacks.get(resident.card.id), resident.card.id
        took = f"{resident.load_s:.1f} s, {in_gb(loaded.memory.active)}; {self.room}"
        if setbacks and setbacks.has_died:
            times = "once" if setbacks.restarts == 1 else f"{setbacks.restarts} times"
            text = f"restarted {name}, whose worker had died {times}: {took}"
            self.history.record("restarted", name, text, seconds=resident.load_s, findings=loaded.findings)
        else:
            self.history.record(
                "loaded", name, f"loaded {name}: {took}", seconds=resident.load_s, findings=loaded.findings
            )
        if setbacks:
            setbacks.loaded()
        logger.info("Worker %s: %s", resident.runner.pid, eviction.figures(loaded.memory))

    async def _give_up(self, resident: Resident, reason: str, seconds: float) -> None:
        """Turn a failed load into an answer for all who wait for it, and a state that decays."""
        name = resident.card.id
        await self._free(resident)
        if resident.broken_off:
            self.history.record("unloaded", name, f"unloaded {name}: {resident.broken_off}", seconds=seconds)
            return
        self.setbacks_of(name).failed(self.clock(), reason)
        if not self._is_closing:
            self.history.record("load_failed", name, f"could not load {name}: {reason}", seconds=seconds)
        self._on_failure(name, reason)

    # Watching and unloading.

    def _take_report(self, resident: Resident, runner: Runner, memory: Memory) -> None:
        if resident.runner is runner and self.room.holds(resident):
            resident.reported(memory)
            self._on_change()

    async def _watch(self, resident: Resident) -> None:
        """Forget a model whose worker ended by itself; a later request loads it anew."""
        await resident.runner.wait_ended()
        if not self.room.holds(resident) or resident.has_been_stopped or self._is_closing:
            return
        name, reason, now = resident.card.id, resident.runner.end_reason, self.clock()
        lived_s = now - resident.ready_at
        setbacks = self.setbacks_of(name)
        setbacks.died(now, lived_s, reason)
        text = f"the worker of {name} died after {lived_s:.0f} s: {reason or 'it did not say why'}"
        if pause := setbacks.retry_in_s(now):
            text += f"; it may start again in {pause:.0f} s"
        self.history.record("died", name, text, seconds=lived_s)
        resident.state, resident.has_been_stopped = ModelState.DRAINING, True
        await self._unload(resident)

    async def _unload(self, resident: Resident) -> None:
        """End the worker; only then are its bytes free."""
        await self._free(resident)
        self._on_change()

    async def _free(self, resident: Resident) -> None:
        """End the worker and give its bytes back, which nobody could use if they stayed reserved."""
        try:
            await self._end(resident)
        finally:
            self.room.remove(resident)

    async def _end(self, resident: Resident) -> None:
        """End the worker; one that cannot be ended is told to the log, and the pool goes on without it."""
        try:
            await resident.runner.stop()
        except Exception:
            logger.exception("The worker of %s could not be ended", resident.card.id)

    async def _keep_warm(self, spare: Runner) -> None:
        """Warm the spare up; one that ends before it is needed is replaced by the next load."""
        await spare.warm_up()
        if self._spare is not spare:
            return
        self.is_spare_ready = True
        self.room.learn_limit(spare.device_bytes)
        logger.info("Spare worker %s is ready: %s", spare.pid, eviction.figures(spare.memory))
        await spare.wait_ended()
        if self._spare is spare and not self._is_closing:
            logger.warning("The spare worker ended: %s", spare.end_reason)
            self._spare, self.is_spare_ready = None, False


def _set_percent(resident: Resident, percent: int) -> None:
    resident.percent = percent
