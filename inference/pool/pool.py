"""Residency of models: single-flight loads, leases, and LRU eviction of idle models under a byte limit.

All methods run on one asyncio loop, so each stretch without an `await` is a critical section: a
decision and the bytes it reserves are never apart. `snapshot` alone may be called from any thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from inference.core.errors import InvalidValue, ModelLoadFailed, ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit, ModelState, PoolSnapshot
from inference.core.threads import CATALOG
from inference.core.units import in_gb
from inference.pool.admission import Admission
from inference.pool.model_states import model_states
from inference.pool.options import PoolOptions
from inference.pool.pins import Pins
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.decision_log import DecisionLog, OnEvent
from inference.pool.residency.folder_check import FolderCheck
from inference.pool.residency.lease import Lease
from inference.pool.residency.loader import Loader, LoadSpan
from inference.pool.residency.maintenance import Maintenance
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.memory_pressure import Gauge, MemoryPressure, available
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.spare_worker import SpareWorker
from inference.pool.residency.unloader import Unloader
from inference.pool.scheduling import claims, refusals
from inference.pool.scheduling.context_fit import ContextFits
from inference.pool.scheduling.preview import LoadPreview, Outlook, preview_loads
from inference.pool.scheduling.scheduler import Scheduler
from inference.pool.ticker import Ticker
from inference.pool.workers.runner import StartRunner

logger = logging.getLogger(__name__)


class Pool:
    """The resident models of this site.

    `start_upstream` starts a runner of a model that other servers answer for, `start_ranks` of one
    that several processes compute, `start_runner` of any other.
    `gauge` returns the share of the system's memory that is available. `on_tick` is called with a snapshot
    once a second, `on_event` with each decision.
    """

    def __init__(
        self,
        options: PoolOptions,
        *,
        find_card: Callable[[str], ModelCard | None],
        start_runner: StartRunner,
        start_upstream: StartRunner | None = None,
        start_ranks: StartRunner | None = None,
        find_pinned: Callable[[], Sequence[str]] = list,
        on_event: OnEvent = lambda event: None,
        on_tick: Callable[[PoolSnapshot], None] = lambda snapshot: None,
        gauge: Gauge = available,
        clock: Callable[[], float] = time.monotonic,
        load_span: LoadSpan = lambda card: nullcontext(),
    ) -> None:
        self._find_card, self._find_pinned = find_card, find_pinned
        self._clock, self._on_tick = clock, on_tick
        self._ledger = MemoryLedger(options.limit_bytes, is_given=options.is_limit_given)
        self._decisions = DecisionLog(on_event, clock, self._ledger)
        self._records = PoolRecords(self._ledger, self._decisions, clock)
        self._pressure = pressure = MemoryPressure()
        self._contexts = ContextFits(self._ledger, pressure)
        self._pins, self._tasks = Pins(self._records), BackgroundTasks()
        self._ticker = Ticker(self._tasks, tick=self.tick, dispatch=self._dispatch)
        self._spare = SpareWorker(start_runner, self._ledger, self._tasks, is_kept=options.keep_spare)
        self._unloader = Unloader(self._records, self._tasks, on_change=self._ticker.request_dispatch)
        self._loader = Loader(
            self._records,
            load_timeout_s=options.load_timeout_s,
            spare=self._spare,
            start_upstream=start_upstream or start_runner,
            start_ranks=start_ranks or start_runner,
            unloader=self._unloader,
            tasks=self._tasks,
            on_change=self._ticker.request_dispatch,
            on_failure=lambda model_id, reason: self._scheduler.fail_load(model_id, reason),
            load_span=load_span,
        )
        self._maintenance = Maintenance(self._records, pressure, self._unloader, options.idle_ttl_s, gauge)
        self._folder_check = FolderCheck(self._records, self._unloader, self._tasks, find_card)
        self._scheduler = self._new_scheduler(options)
        self.admission = Admission(
            self._records,
            self._scheduler,
            find_card=find_card,
            pressure=self._pressure,
            unloader=self._unloader,
            on_join=self._ticker.begin,
            dispatch=self._dispatch,
        )

    def _new_scheduler(self, options: PoolOptions) -> Scheduler:
        return Scheduler(
            self._records,
            options,
            pressure=self._pressure,
            loader=self._loader,
            unloader=self._unloader,
            on_wish=self._ticker.request_dispatch,
        )

    @property
    def is_closing(self) -> bool:
        return self.admission.is_closed

    @property
    def is_draining(self) -> bool:
        return self.admission.is_draining

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that the pool runs on; None before its first request."""
        return self._ticker.loop

    def lease(
        self,
        model_id: str,
        tokens: int = 0,
        kind: str = "",
        answers: Answers | None = None,
        share: str = "",
    ) -> Lease:
        """A lease of `model_id` for `tokens` tokens of prompts, as an async context manager.

        Its `answers` grow: a first slice is reserved for them, and more while they become longer.
        With a `kind`, a model of another kind is refused before it is loaded. `share` is the account that it
        counts for where streams and queue are shared (scheduling/fair_queue.py).
        """
        return Lease(self.admission, model_id, tokens, kind, answers, share)

    async def load(self, model_id: str) -> None:
        """Begin to load a model and return at once; an operator's load resets the model's crash back-off.

        Raises the ServerError that a request would be refused with.
        """
        pending = await self.admission.join(model_id, None)
        pending.granted.add_done_callback(lambda _: self.admission.leave(pending))

    async def unload(self, model_id: str, *, is_now: bool = False) -> bool:
        """Unload a model once its last stream has ended; False when it is not resident.

        A load in progress is cancelled. If requests wait for it, that raises InvalidValue, unless `is_now`:
        then they fail.
        """
        resident, waiting = self._ledger.of(model_id), self._scheduler.load_of(model_id)
        if waiting and not (resident and resident.state == ModelState.LOADING):
            self._scheduler.fail(waiting, ModelLoadFailed("An operator ended its load."))
        if not resident:
            return waiting is not None
        if resident.state == ModelState.LOADING:
            if self._is_awaited(model_id) and not is_now:
                raise InvalidValue(
                    "Requests are waiting for this model to load; use “unload now” to reject them."
                )
            self._loader.cancel_load(resident, "an operator ended its load")
        elif not resident.is_leaving:
            text = f"unloaded {model_id}: an operator asked for it; it held {in_gb(resident.bytes)}"
            self._decisions.record("unloaded", model_id, text, reason="operator")
            self._unloader.drain(resident)
        return True

    async def refresh(self, model_id: str) -> None:
        """Apply a changed card of a model: its pin, its idle time, and whether it may be served."""
        card = await CATALOG.run(self._find_card, model_id)
        if card is None:
            return
        self._pins.update(card)
        if resident := self._ledger.of(card.id):
            resident.card = resident.card.with_choices_of(card)
        for pending in self._scheduler:
            if pending.card.id == card.id and not card.is_servable:
                self._scheduler.fail(pending, refusals.problem_error(card))
            elif pending.card.id == card.id:
                pending.card = card
        self._dispatch()
        if not card.is_servable:
            await self.unload(card.id)

    async def claim(self, name: str, amount: int) -> None:
        """Take bytes of the limit for work beside the models, until `end_claim`.

        Nothing is evicted for it: raises PoolFull or ModelTooLarge, which say what has to go.
        """
        if error := self.claim_error(name, amount):
            raise error
        self._ledger.claim(name, amount)

    async def end_claim(self, name: str) -> None:
        """Give back what was claimed under this name. Idempotent."""
        self._ledger.end_claim(name)
        self._dispatch()

    def claim_error(self, name: str, amount: int) -> ServerError | None:
        """Why so many bytes cannot be claimed now, if they cannot; callable from any thread."""
        return claims.claim_error(name, amount, self._ledger, is_short=self._pressure.is_shedding)

    async def warm_up(self) -> None:
        """Start the spare worker and load the pinned models ahead of the first request."""
        self._ticker.begin()
        logger.info("Models may use %s of memory", in_gb(self._ledger.limit))
        self._spare.start()
        self._tasks.spawn(self._load_pinned())

    def snapshot(self) -> PoolSnapshot:
        """The pool at this moment; callable from any thread."""
        residents = self._ledger.residents
        waiting = list(self._scheduler)
        loads = [pending.card.id for pending in waiting if not pending.is_request]
        return PoolSnapshot(
            limit_bytes=self._ledger.limit,
            reserved_bytes=self._ledger.reserved,
            claimed_bytes=self._ledger.claimed,
            waiting=len(waiting) - len(loads),
            models=tuple(model_states(residents, loads, self._records.backoffs.copy(), self._clock())),
            is_spare_ready=self._spare.is_ready,
            spare_pid=self._spare.pid,
            has_spare_failed=self._spare.has_failed,
            pressure=self._pressure.level,
            events=self._decisions.events,
        )

    def preview_loads(self, *cards: ModelCard) -> list[LoadPreview]:
        """What loading these models, one after another, would do now; callable from any thread."""
        outlook = Outlook.of(self._ledger, is_short=self._pressure.is_refusing)
        return preview_loads(cards, outlook, self._clock())

    def context_fits(self, *cards: ModelCard) -> list[ContextFit]:
        """The context of each of these models, and how much of it fits; callable from any thread."""
        return [self._contexts.of(card) for card in cards]

    def fitted(self, *cards: ModelCard) -> list[ModelCard]:
        """These cards with the context that each model has, or would have; callable from any thread."""
        return [self._contexts.fitted(card) for card in cards]

    def tick(self) -> None:
        """Apply everything that depends on the time; called once a second."""
        now = self._clock()
        for resident in self._ledger.residents:
            resident.expire_shed(now)
        self._scheduler.expire(now)
        self._maintenance.relieve_pressure()
        self._maintenance.expire(now, {pending.card.id for pending in self._scheduler})
        self._folder_check.start_if_due(now)
        self._dispatch()
        self._on_tick(self.snapshot())

    def drain(self) -> None:
        """Take no more requests; those that were taken go on, with those that wait."""
        self.admission.is_draining = True

    async def close(self) -> None:
        """End every worker; requests that stream or wait fail with ShuttingDown."""
        self.admission.close()
        self._ticker.stop()
        await self._loader.close()

    def _is_awaited(self, model_id: str) -> bool:
        """Whether requests wait for the model; an operator's load does not count."""
        return any(pending.card.id == model_id and pending.is_request for pending in self._scheduler)

    def _dispatch(self) -> None:
        if not self.admission.is_closed:
            self._scheduler.dispatch()
            self._maintenance.enforce_limit()

    async def _load_pinned(self) -> None:
        """Load the pinned models one after another; one that cannot be loaded is logged and left out."""
        await self._spare.wait_warm()
        for model_id in await CATALOG.run(self._find_pinned):
            self._pins.add(model_id)
            try:
                pending = await self.admission.join(model_id, None)
                await asyncio.wait([pending.granted])
                self.admission.leave(pending)
            except ServerError as error:
                logger.warning("The pinned model %s was not loaded: %s", model_id, error.message)
