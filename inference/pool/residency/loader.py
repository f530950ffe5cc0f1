"""How models come into memory, and what happens when their workers die."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from inference.core.errors import ModelLoadFailed, ServerError
from inference.core.load_progress import LoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory, ModelState
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident
from inference.pool.residency.spare_worker import SpareWorker
from inference.pool.residency.unloader import Unloader
from inference.pool.workers.runner import Runner, StartRunner

logger = logging.getLogger(__name__)

LoadSpan = Callable[[ModelCard], AbstractContextManager[None]]  # around the load of one model


class Loader:
    """Loads models and watches their workers.

    `on_change` is called whenever a load is over or a worker reports its memory, `on_failure` with the model
    and the reason before that.

    A load takes these steps:

    1. The model's bytes, and those of the request that needs it, are entered in the ledger.
    2. The spare worker, or a new one, loads the model within `load_timeout_s`.
    3. If that ran out of memory while other models idle, they are evicted and it is tried once more.
    4. A loaded model becomes ready and its worker is watched. After a failure the bytes are free again, the
       crash back-off begins, and all requests that wait for the model fail.
    5. The scheduler is called, and the next spare worker starts.

    Recovery after a crash takes these steps:

    1. The worker's end is noticed; its streams have already failed with WorkerDied.
    2. The death counts in the model's crash back-off, and is recorded with its reason.
    3. The bytes are free again, and the scheduler is called.
    4. A later request loads the model again, once the back-off is over.
    """

    def __init__(
        self,
        records: PoolRecords,
        *,
        load_timeout_s: float,
        spare: SpareWorker,
        start_upstream: StartRunner,
        start_ranks: StartRunner,
        unloader: Unloader,
        tasks: BackgroundTasks,
        on_change: Callable[[], None],
        on_failure: Callable[[str, str], None],
        load_span: LoadSpan,
    ) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._durations = records.durations
        self._backoffs = records.backoffs
        self._clock = records.clock
        self._load_timeout_s = load_timeout_s
        self._spare = spare
        self._start_upstream, self._start_ranks = start_upstream, start_ranks
        self._unloader = unloader
        self._tasks = tasks
        self._on_change = on_change
        self._on_failure = on_failure
        self._load_span = load_span
        self._is_closing = False

    def begin(self, card: ModelCard, promised: int) -> None:
        """Start a load that takes the model's bytes and those promised to the request that needs it."""
        resident = Resident(
            card,
            self._runner_for(card),
            self._clock(),
            kv_per_token=card.kv_bytes_per_token,
            promised=promised,
        )
        self._ledger.add(resident)
        self._tasks.spawn(self._load(resident))

    def _runner_for(self, card: ModelCard) -> Runner:
        if card.is_remote:
            return self._start_upstream()
        return self._start_ranks() if card.ranks > 1 else self._spare.take()

    def cancel_load(self, resident: Resident, why: str) -> None:
        """End a load in progress: requests that wait for it fail with the reason, without a back-off."""
        self._on_failure(resident.card.id, why)
        if not resident.cancel_reason:
            resident.cancel_reason = why
            self._tasks.spawn(self._unloader.stop(resident))

    async def close(self) -> None:
        """Stop every worker, then cancel all tasks of the pool."""
        self._is_closing = True
        stops = [self._unloader.stop(resident) for resident in self._ledger.residents]
        await asyncio.gather(*stops, self._spare.close(), return_exceptions=True)
        await self._tasks.cancel()

    # Loading.

    async def _load(self, resident: Resident) -> None:
        started = self._clock()
        try:
            with self._load_span(resident.card):
                loaded = await self._attempt_twice(resident)
            if resident.cancel_reason:
                raise ModelLoadFailed(resident.cancel_reason)
        except ModelLoadFailed as error:
            await self._fail_load(resident, error.message, self._clock() - started)
        except Exception:  # the boundary: whatever broke, the requests that wait fail
            logger.exception("Loading %s broke", resident.card.id)
            why = "an internal error; the server's log has the details"
            await self._fail_load(resident, why, self._clock() - started)
        else:
            self._finish_load(resident, loaded, self._clock() - started)
        self._on_change()
        if not self._is_closing:
            self._spare.start()

    async def _attempt_twice(self, resident: Resident) -> Loaded:
        """Load; if memory runs out while other models idle, load once more without them.

        Raises ModelLoadFailed.
        """
        try:
            return await self._attempt(resident)
        except ModelLoadFailed as error:
            idle = [other for other in self._ledger.residents if other.is_evictable]
            if error.kind != "out_of_memory" or not idle:
                raise
            await self._restart_without(idle, resident)
            return await self._attempt(resident)

    async def _attempt(self, resident: Resident) -> Loaded:
        """One load; raises ModelLoadFailed."""
        runner = resident.runner
        runner.on_memory(lambda memory: self._on_report(resident, runner, memory))
        try:
            async with asyncio.timeout(self._load_timeout_s):
                return await runner.load(resident.card, partial(_note_progress, resident))
        except TimeoutError:
            why = f"loading took longer than {self._load_timeout_s:.0f} s"
            raise ModelLoadFailed(why, kind="timeout") from None
        except ModelLoadFailed:
            raise
        except ServerError as error:
            raise ModelLoadFailed(error.message, kind="died") from error

    async def _restart_without(self, idle: list[Resident], resident: Resident) -> None:
        """Evict idle models and give the load a new worker; raises ModelLoadFailed if it was cancelled."""
        for other in idle:
            why = f"there was not enough memory to load {resident.card.id}"
            self._unloader.evict(other, why, reason="load_retry")
        await asyncio.gather(*(self._unloader.stop(one) for one in (resident, *idle)))
        if self._is_closing or resident.cancel_reason:
            raise ModelLoadFailed(resident.cancel_reason or "the server is shutting down")
        is_ranked = resident.card.ranks > 1
        runner = self._start_ranks() if is_ranked else self._spare.start_cold()
        resident.runner, resident.progress = runner, LoadProgress()

    def _finish_load(self, resident: Resident, loaded: Loaded, seconds: float) -> None:
        card, now = resident.card, self._clock()
        resident.state, resident.promised = ModelState.READY, 0
        resident.progress = LoadProgress(phase="weights", percent=100)
        resident.load_s, resident.ready_at, resident.last_used = seconds, now, now
        resident.loaded = loaded
        resident.kv_per_token = loaded.kv_bytes_per_token or resident.kv_per_token
        self._durations.add_load(card.id, seconds)
        self._ledger.learn_limit(resident.runner.device_bytes)
        self._record_load(resident, loaded)
        self._tasks.spawn(self._watch(resident))

    def _record_load(self, resident: Resident, loaded: Loaded) -> None:
        backoff, name = self._backoffs.find(resident.card.id), resident.card.id
        kind, text = "loaded", f"loaded {name}"
        if backoff and backoff.has_died:
            times = "once" if backoff.restarts == 1 else f"{backoff.restarts} times"
            kind, text = "restarted", f"restarted {name}, whose worker had died {times}"
        if resident.card.is_remote:
            text = f"{name} accepts requests, which other servers answer"
        else:
            text += f": {resident.load_s:.1f} s, {in_gb(loaded.memory.active)}; {self._ledger}"
        self._decisions.record(kind, name, text, seconds=resident.load_s, findings=loaded.findings)
        if backoff:
            backoff.note_load()
        if not resident.card.is_remote:
            logger.info("Worker %s: %s", resident.runner.pid, eviction.figures(loaded.memory))

    async def _fail_load(self, resident: Resident, reason: str, seconds: float) -> None:
        """Free the bytes of a failed load and fail the requests that wait for it."""
        name = resident.card.id
        await self._unloader.free(resident)
        if resident.cancel_reason:
            text = f"unloaded {name}: {resident.cancel_reason}"
            self._decisions.record("unloaded", name, text, seconds=seconds)
            return
        self._backoffs.of(name).note_failed_load(self._clock(), reason)
        if not self._is_closing:
            self._decisions.record("load_failed", name, f"could not load {name}: {reason}", seconds=seconds)
        self._on_failure(name, reason)

    # Watching.

    def _on_report(self, resident: Resident, runner: Runner, memory: Memory) -> None:
        if resident.runner is runner and self._ledger.holds(resident):
            resident.note_report(memory)
            self._on_change()

    async def _watch(self, resident: Resident) -> None:
        """Unload a model whose worker ended by itself; a later request loads it again."""
        await resident.runner.wait_ended()
        if not self._ledger.holds(resident) or resident.has_been_stopped or self._is_closing:
            return
        name, reason, now = resident.card.id, resident.runner.end_reason, self._clock()
        lived_s = now - resident.ready_at
        backoff = self._backoffs.of(name)
        backoff.note_death(now, lived_s, reason)
        text = f"the worker of {name} died after {lived_s:.0f} s: {reason or 'the reason is unknown'}"
        if pause := backoff.retry_in_s(now):
            text += f"; it may start again in {pause:.0f} s"
        death = resident.runner.death_reason
        self._decisions.record("died", name, text, reason=death, seconds=lived_s)
        resident.state, resident.has_been_stopped = ModelState.DRAINING, True
        await self._unloader.unload(resident)


def _note_progress(resident: Resident, progress: LoadProgress) -> None:
    resident.progress = progress
