"""The scheduler: a bounded queue of requests, in which memory is freed for the first that does not fit."""

from collections.abc import Callable, Iterator

from inference.core.errors import AllPinned, ModelLoadFailed, ModelTooLarge, PoolFull, ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.units import in_gb
from inference.pool.options import PoolOptions
from inference.pool.residency import eviction
from inference.pool.residency.durations import retry_after
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.loader import Loader
from inference.pool.residency.memory_pressure import MemoryPressure
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident, idle_lora_bytes
from inference.pool.residency.unloader import Unloader
from inference.pool.scheduling import refusals
from inference.pool.scheduling.context_fit import ContextFits
from inference.pool.scheduling.fair_queue import FairQueue
from inference.pool.scheduling.growth_scheduler import GrowthScheduler
from inference.pool.scheduling.head_reservation import HeadReservation


class Scheduler:
    """Requests in fair order (fair_queue.py); `dispatch` is the pool's main loop.

    `on_wish` is called when a running request wants something that the next `dispatch` decides on.
    """

    def __init__(
        self,
        records: PoolRecords,
        options: PoolOptions,
        *,
        pressure: MemoryPressure,
        loader: Loader,
        unloader: Unloader,
        on_wish: Callable[[], None],
    ) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._durations = records.durations
        self._lengths = records.lengths
        self._backoffs = records.backoffs
        self._clock = records.clock
        self._pressure = pressure
        self._contexts = ContextFits(records.ledger, pressure)
        self._loader = loader
        self._unloader = unloader
        self._options = options
        self._reservation = HeadReservation(options.patience_s, records.durations)
        self._queue = FairQueue(records.ledger.streams, records.clock)
        self._growth = GrowthScheduler(
            records, options, unloader=unloader, on_change=on_wish, next_turn=self._queue.next_turn
        )

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[PendingLease]:
        return iter(self._queue)

    def position_of(self, pending: PendingLease) -> tuple[int, int]:
        """The place in the queue, from 1 (0 for one that does not wait any more), and its rank."""
        return self._queue.position_of(pending), self._queue.rank_of(pending)

    def load_of(self, model_id: str) -> PendingLease | None:
        """The operator's load of this model, if one waits."""
        return next((one for one in self if one.card.id == model_id and not one.is_request), None)

    def add(self, pending: PendingLease) -> None:
        """Queue a request; `dispatch` and `refuse_if_over_limit` follow."""
        self._queue.add(pending)

    def refuse_if_over_limit(self, pending: PendingLease) -> None:
        """Refuse a request of a full queue, in which this one still waits; never an operator's load.

        It is this one, or the latest of an account that has more requests in the queue.
        """
        is_over = pending in self._queue and len(self._queue) > self._options.queue_limit
        if is_over and pending.is_request:
            surplus = self._queue.surplus(pending)
            after = self.retry_after(surplus.card)
            self.refuse(surplus, refusals.queue_full_error(self._options.queue_limit, after))

    def remove(self, pending: PendingLease) -> None:
        """Remove a request that is over: from the queue if it still waits, else from those that grow."""
        self._growth.close(pending)
        self._queue.discard(pending)
        if pending.stream:
            self._queue.note_end(pending.stream)

    def dispatch(self) -> None:
        """Run one round of the scheduler.

        1. Serve the running requests whose answers grow (growth_scheduler.py), before any new one.
        2. Go through the queue in order. Each request is granted, refused, has its load started or goes on
           waiting; requests behind one for the same model that lacks memory are passed over.
        3. The first that lacks memory becomes the head. A reservation protects it from those behind it,
           which are served only as far as they do not delay it (head_reservation.py).
        4. Shed and evict for the head, unless that would not be enough or is in progress already.
        """
        self._growth.serve()
        self._reservation.begin_round(self._clock())
        fitted, is_blocked = self._contexts.of_round(), self._growth.blocks_admissions
        head: PendingLease | None = None
        lacking, without_place = set[str](), set[tuple[str, str, bool]]()
        for pending in self:
            kind = (pending.card.id, pending.share, pending.is_request)
            if pending.card.id in lacking:
                self._reservation.add_waiting(pending)
            if pending.card.id in lacking or kind in without_place:
                continue
            self._fit(pending, fitted)
            if is_blocked and self._needed_bytes(pending):
                if error := self._unservable_error(pending):
                    self.refuse(pending, error)
                continue
            if not self._lacks_memory(pending):
                self._serve(pending)
                if not pending.granted.done():
                    without_place.add(kind)
                continue
            if error := self._unservable_error(pending):
                self.refuse(pending, error)
                continue
            if head is None:
                head = pending
                self._reserve_for_head(head)
            lacking.add(pending.card.id)
            self._reservation.add_waiting(pending)
        if head:
            self._evict_for_head(head)
        self._reservation.end_round()

    def _lacks_memory(self, pending: PendingLease) -> bool:
        """Whether memory is all that is missing to grant or load now."""
        resident = self._ledger.of(pending.card.id)
        has_place = self._has_place(resident, pending) if resident else self._can_load(pending.card)
        if not has_place or (resident and pending.tokens is None):
            return False
        need = self._needed_bytes(pending)
        return bool(need and need > self._ledger.free) or self._reservation.blocks(pending, resident, need)

    def _serve(self, pending: PendingLease) -> None:
        """Grant the lease, start its load, or refuse it in a crash loop; otherwise it goes on waiting."""
        resident = self._ledger.of(pending.card.id)
        if resident is None and (error := self._crash_loop_error(pending.card)):
            self.refuse(pending, error)
            return
        if not (self._has_place(resident, pending) if resident else self._can_load(pending.card)):
            return
        need = self._needed_bytes(pending)
        if resident is None:
            self._reservation.consume(None, need)
            self._loader.begin(pending.card, need - pending.card.resident_bytes)
            return
        if pending.is_request:
            self._reservation.consume(resident, need)
        self._grant(pending, resident)

    def _has_place(self, resident: Resident, pending: PendingLease) -> bool:
        most = resident.card.most_streams or self._options.max_leases
        most = self._queue.most_streams(resident, pending.share, most)
        is_open = pending.tokens is None or resident.leases < most
        return resident.state == ModelState.READY and is_open

    def _can_load(self, card: ModelCard) -> bool:
        """Whether nothing but memory is in the way of a load."""
        backoff = self._backoffs.find(card.id)
        may_load = card.is_remote or not self._pressure.is_refusing
        return may_load and (not backoff or backoff.may_load(self._clock()))

    def _crash_loop_error(self, card: ModelCard) -> ServerError | None:
        """The refusal of a model whose worker keeps dying."""
        backoff, now = self._backoffs.find(card.id), self._clock()
        if backoff is None or not backoff.is_breaker_open(now):
            return None
        return refusals.crash_loop_error(card, backoff.reason, backoff.restarts, backoff.retry_in_s(now))

    def _unservable_error(self, pending: PendingLease) -> ServerError | None:
        """The refusal of a request that will not fit however long it waits, not even with one token."""
        return self._error_with(pending, pending.least_tokens)

    def _fit(self, pending: PendingLease, fitted: Callable[[ModelCard], ModelCard]) -> None:
        """Give a request the model's present context, and a smaller first slice if it does not fit alone."""
        pending.card = fitted(pending.card)
        while pending.first_tokens > 1 and self._error_with(pending, pending.kv_tokens):
            pending.first_tokens //= 2

    def _error_with(self, pending: PendingLease, tokens: int) -> ServerError | None:
        resident, limit = self._ledger.of(pending.card.id), self._ledger.limit
        card = pending.card.with_lora(pending.lora)
        error = refusals.unservable_error(card, tokens, self._ledger.residents, limit)
        if error or not resident:
            return error
        return refusals.outgrown_error(resident, tokens, limit)

    def _needed_bytes(self, pending: PendingLease) -> int:
        """Bytes of its KV cache, and of its model where that has to be loaded."""
        if resident := self._ledger.of(pending.card.id):
            return resident.cost_of(pending.kv_tokens) + resident.lora_cost(pending.lora)
        card = pending.card.with_lora(pending.lora)
        return card.load_bytes + pending.kv_tokens * card.kv_bytes_per_token

    def _reserve_for_head(self, head: PendingLease) -> None:
        residents = self._ledger.residents
        movable = [
            resident
            for resident in residents
            if resident.card.id != head.card.id
            and resident.state == ModelState.READY
            and not resident.card.is_pinned
        ]
        self._reservation.reserve(head, self._needed_bytes(head) - self._ledger.free, residents, movable)

    def _evict_for_head(self, head: PendingLease) -> None:
        """Drop adapters, shed and evict for the head, unless that would not be enough or is in progress.

        Adapters that no stream uses go first, as they load in no time. Those of models to be evicted go with
        them.
        """
        need = self._needed_bytes(head)
        if (missing := need - self._ledger.free - self._ledger.reclaiming) <= 0:
            return
        residents, wanted = self._ledger.residents, head.lora.name if head.lora else ""
        evictable = self._ledger.evictable(self._clock(), self._options.min_residency_s, beside=head.card.id)
        holders = residents
        if idle_lora_bytes(residents, wanted) < missing:
            holders = [resident for resident in residents if resident not in evictable]
        dropped = idle_lora_bytes(holders, wanted)
        plan = eviction.plan_eviction(residents, evictable, max(0, missing - dropped))
        if plan.is_enough:
            why = f"needed {in_gb(need)} for {head.card.id}, {self._ledger}"
            self._unloader.drop_loras(holders, wanted, missing, why)
            self._unloader.apply(plan, why, need)

    # Outcomes: every pending lease gets exactly one.

    def refuse(self, pending: PendingLease, error: ServerError) -> None:
        """End a wait by a decision of the pool, which is recorded."""
        card = pending.card.with_lora(pending.lora)
        self.fail(pending, self.record_refusal(card, error, self._needed_bytes(pending)))

    def fail(self, pending: PendingLease, error: ServerError) -> None:
        """End a wait with an error whose reason is recorded elsewhere."""
        self._queue.discard(pending)
        if not pending.granted.done():
            pending.granted.set_exception(error)

    def fail_load(self, model_id: str, reason: str) -> None:
        """Fail all that wait for this model with ModelLoadFailed."""
        for pending in [pending for pending in self if pending.card.id == model_id]:
            self.fail(pending, ModelLoadFailed(f"The model {model_id!r} did not load: {reason}"))

    def expire(self, now: float) -> None:
        """Refuse requests that waited too long for memory; a load or reload in progress is waited for."""
        for pending in self:
            resident = self._ledger.of(pending.card.id)
            is_loading = resident is not None and resident.state == ModelState.LOADING
            is_reload = resident is not None and resident.is_leaving and not pending.is_request
            if now - pending.since > self._options.wait_limit_s and not is_loading and not is_reload:
                after = self.retry_after(pending.card)
                error = refusals.wait_timeout_error(pending.card, self._options.wait_limit_s, after)
                self.refuse(pending, error)

    def record_refusal(self, card: ModelCard, error: ServerError, need: int) -> ServerError:
        """Record a refusal and return it; one for want of memory then says which context fits."""
        text = f"refused a request for {card.id} ({error.code}): needed {in_gb(need)}, {self._ledger}"
        self._decisions.record_refusal(error.code, card.id, text, needed_bytes=need)
        is_about_memory = isinstance(error, ModelTooLarge | AllPinned | PoolFull)
        return error.adding(self._contexts.of(card).text) if is_about_memory else error

    def retry_after(self, card: ModelCard) -> int:
        """Seconds until another request for this model may expect its turn."""
        is_loaded = bool((one := self._ledger.of(card.id)) and one.state == ModelState.READY)
        return retry_after(
            waiting=len(self._queue),
            running=sum(resident.leases for resident in self._ledger.residents),
            lease_s=self._durations.lease_s,
            load_s=0.0 if is_loaded else self._durations.load_s(card.id),
        )

    def _grant(self, pending: PendingLease, resident: Resident) -> None:
        for passed in self._queue.before(pending):
            passed.overtaken_by.add(pending.number)
        self._queue.discard(pending)
        if pending.granted.done():
            return
        usual = max(pending.first_tokens, self._lengths.most(pending.card.id))
        is_free = not (self._queue or self._growth.is_waiting)
        spare = pending.answers.spare(usual) if pending.answers else 0
        cost = resident.cost_of(pending.tokens_with(usual, spare)) + resident.lora_cost(pending.lora)
        if is_free and cost <= self._ledger.free:
            pending.first_tokens, pending.spare_tokens = usual, spare
        pending.grant(resident, self._clock())
        if pending.answers and not pending.card.is_remote:
            self._growth.open(pending)
        pending.granted.set_result(resident)
