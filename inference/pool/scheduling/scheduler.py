"""Who waits for a model: a bounded FIFO in which room is made for the first who lacks it."""

from collections import deque
from collections.abc import Iterator

from inference.core.errors import ModelLoadFailed, ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.durations import retry_after
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.loader import Loader
from inference.pool.residency.maintenance import Maintenance
from inference.pool.residency.resident import Resident
from inference.pool.scheduling import refusals
from inference.pool.scheduling.head_reservation import HeadReservation


class Scheduler:
    """Requests in the order in which they came; `dispatch` is the pool's main loop."""

    def __init__(
        self,
        *,
        limit: int,
        max_leases: int,
        wait_limit_s: float,
        min_residency_s: float,
        patience_s: float,
        loader: Loader,
        house: Maintenance,
    ) -> None:
        self._limit = limit
        self._max_leases = max_leases
        self._wait_limit_s = wait_limit_s
        self._min_residency_s = min_residency_s
        self._loader = loader
        self._clock = loader.clock
        self._room = loader.room
        self._house = house
        self._claim = HeadReservation(patience_s, loader.durations)
        self._waiters: deque[PendingLease] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    def __iter__(self) -> Iterator[PendingLease]:
        return iter(list(self._waiters))

    def place_of(self, waiter: PendingLease) -> int:
        """1 for the one who has waited longest; 0 for who waits no more."""
        return self._waiters.index(waiter) + 1 if waiter in self._waiters else 0

    def load_of(self, model_id: str) -> PendingLease | None:
        """The operator's load of this model that waits already."""
        return next((one for one in self if one.card.id == model_id and not one.is_request), None)

    def add(self, waiter: PendingLease) -> None:
        """Queue a request; it may be granted or refused at once."""
        self._waiters.append(waiter)
        self.dispatch()
        is_over = waiter in self._waiters and len(self._waiters) > self._limit
        if is_over and waiter.is_request:  # an operator is not turned away by those who wait
            self.refuse(waiter, refusals.of_queue(self._limit, self.retry_after(waiter.card)))

    def remove(self, waiter: PendingLease) -> None:
        """Forget one who gave up; nothing happens to one who is not waiting any more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def dispatch(self) -> None:
        """Serve in order whoever finds room, then make room for the first who did not."""
        self._claim.begin_round(self._clock())
        lacking: list[PendingLease] = []
        for waiter in self:
            is_behind_its_like = any(waiter.card.id == other.card.id for other in lacking)
            if not is_behind_its_like and self._serve(waiter):
                continue
            if not lacking:
                self._stake(waiter)
            lacking.append(waiter)
            self._claim.line_up(waiter)
        if lacking:
            self._make_room(lacking[0])
        self._claim.end_round()
        self._house.relieve()

    def _serve(self, waiter: PendingLease) -> bool:
        """Grant, load or refuse; False when room is all that is missing."""
        resident = self._room.of(waiter.card.id)
        if not (self._has_place(resident, waiter) if resident else self._may_load(waiter)):
            return True
        if resident and waiter.tokens is None:
            self._grant(waiter, resident)
            return True
        need = self._need(waiter)
        if (need and need > self._room.free) or self._claim.blocks(waiter, resident, need):
            return self._is_refused_as_hopeless(waiter)
        self._claim.consume(resident, need)
        if resident:
            self._grant(waiter, resident)
        else:
            self._loader.begin(waiter.card, need - waiter.card.resident_bytes)
        return True

    def _has_place(self, resident: Resident, waiter: PendingLease) -> bool:
        is_open = waiter.tokens is None or resident.leases < self._max_leases
        return resident.state == ModelState.READY and is_open

    def _may_load(self, waiter: PendingLease) -> bool:
        """Whether nothing but room is in the way of a load; a crash loop ends the wait here."""
        setbacks, now = self._loader.setbacks.get(waiter.card.id), self._clock()
        if setbacks and setbacks.is_broken(now):
            pause = setbacks.retry_in_s(now)
            self.refuse(waiter, refusals.of_loop(waiter.card, setbacks.reason, setbacks.restarts, pause))
            return False
        return not self._house.pressure.is_refusing and (not setbacks or setbacks.may_load(now))

    def _need(self, waiter: PendingLease) -> int:
        """The bytes that serving it takes: of its KV cache, and of its model where that is to be loaded."""
        if resident := self._room.of(waiter.card.id):
            return resident.cost_of(waiter.kv_tokens)
        card = waiter.card
        return card.load_bytes + waiter.kv_tokens * card.kv_bytes_per_token

    def _stake(self, head: PendingLease) -> None:
        residents = self._room.residents
        movable = [
            resident
            for resident in residents
            if resident.card.id != head.card.id
            and resident.state == ModelState.READY
            and not resident.card.is_pinned
        ]
        self._claim.reserve(head, self._need(head) - self._room.free, residents, movable)

    def _make_room(self, head: PendingLease) -> None:
        """Shed and evict for the head, unless that would not do or is under way already."""
        need = self._need(head)
        missing = need - self._room.free - self._room.coming
        if missing <= 0:
            return
        evictable = [resident for resident in self._settled(head) if resident.is_evictable]
        plan = eviction.plan_eviction(self._room.residents, evictable, missing)
        if plan.is_enough:
            self._loader.carry_out(plan, f"needed {in_gb(need)} for {head.card.id}, {self._room}", need)

    def _settled(self, head: PendingLease) -> list[Resident]:
        """The models beside the head's own that have kept their place for long enough."""
        now = self._clock()
        return [
            resident
            for resident in self._room.residents
            if resident.card.id != head.card.id and now - resident.ready_at >= self._min_residency_s
        ]

    # Outcomes: every waiter gets exactly one.

    def refuse(self, waiter: PendingLease, error: ServerError) -> None:
        """End a wait with a decision of the pool."""
        self.tell_refusal(waiter.card, error, self._need(waiter))
        self.fail(waiter, error)

    def fail(self, waiter: PendingLease, error: ServerError) -> None:
        """End a wait with what has been told otherwise."""
        self._waiters.remove(waiter)
        if not waiter.granted.done():
            waiter.granted.set_exception(error)

    def fail_load(self, model_id: str, reason: str) -> None:
        """Tell all who wait for this model that it did not load."""
        for waiter in [waiter for waiter in self if waiter.card.id == model_id]:
            self.fail(waiter, ModelLoadFailed(f"The model {model_id!r} did not load: {reason}"))

    def expire(self, now: float) -> None:
        """Refuse whoever waited too long for room; a load or reload that has begun is waited for."""
        for waiter in self:
            resident = self._room.of(waiter.card.id)
            is_loading = resident is not None and resident.state == ModelState.LOADING
            is_reload = resident is not None and resident.is_leaving and not waiter.is_request
            if now - waiter.since > self._wait_limit_s and not is_loading and not is_reload:
                after = self.retry_after(waiter.card)
                self.refuse(waiter, refusals.of_wait(waiter.card, self._wait_limit_s, after))

    def tell_refusal(self, card: ModelCard, error: ServerError, need: int) -> None:
        text = f"refused a request for {card.id} ({error.code}): needed {in_gb(need)}, {self._room}"
        self._loader.history.refused(error.code, card.id, text, needed_bytes=need)

    def retry_after(self, card: ModelCard) -> int:
        """Seconds until another request for this model may expect its turn."""
        resident = self._room.of(card.id)
        is_loaded = resident is not None and resident.state == ModelState.READY
        return retry_after(
            waiting=len(self._waiters),
            running=sum(resident.leases for resident in self._room.residents),
            lease_s=self._loader.durations.lease_s,
            load_s=0.0 if is_loaded else self._loader.durations.load_s(card.id),
        )

    def _grant(self, waiter: PendingLease, resident: Resident) -> None:
        self._waiters.remove(waiter)
        if not waiter.granted.done():
            waiter.take(resident, self._clock())
            waiter.granted.set_result(resident)

    def _is_refused_as_hopeless(self, waiter: PendingLease) -> bool:
        tokens, resident = waiter.kv_tokens, self._room.of(waiter.card.id)
        error = refusals.of_hopeless(waiter.card, tokens, self._room.residents, self._room.limit)
        if not error and resident:
            error = refusals.of_outgrown(resident, tokens, self._room.limit)
        if error:
            self.refuse(waiter, error)
        return error is not None
