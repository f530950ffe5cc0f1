"""Who is resident: single-flight loads, leases, and LRU eviction of the idle under a byte budget.

All methods run on one asyncio loop, so each stretch without an `await` is a critical section: a
decision and the bytes it reserves are never apart. `snapshot` alone may be called from any thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

from msgspec import structs

from inference.core.errors import InvalidValue, ModelLoadFailed, ModelNotFound, ServerError, ShuttingDown
from inference.core.events import Progress
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.core.threads import CATALOG
from inference.core.units import in_gb
from inference.pool.residency import memory_pressure
from inference.pool.residency.crash_backoff import CrashBackoff
from inference.pool.residency.decision_log import DecisionLog, OnEvent
from inference.pool.residency.lease import Lease, PendingLease
from inference.pool.residency.loader import Loader, LoadSpan
from inference.pool.residency.maintenance import Maintenance
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.scheduling import refusals
from inference.pool.scheduling.preview import LoadPreview, Outlook, preview_load
from inference.pool.scheduling.scheduler import Scheduler
from inference.pool.workers.runner import StartRunner

logger = logging.getLogger(__name__)
_TICK_S = 1.0


class Pool:
    """The resident models of this site.

    `limit_bytes` is what they may use together; unless the operator gave it (`is_limit_given`) the device's
    own limit counts too. `idle_ttl_s` is for models whose card has none, -1 for ever. A model keeps its
    place for `min_residency_s` though another waits, and one that waited `patience_s` is overtaken only by
    those that waited for a load with it (head_reservation.py). `gauge` tells the share of the system's
    memory that is available. `on_tick` is shown the pool once a second.
    """

    loop: asyncio.AbstractEventLoop | None = None
    _ticking: "asyncio.Task[None] | None" = None

    def __init__(
        self,
        *,
        find_card: Callable[[str], ModelCard | None],
        start_runner: StartRunner,
        limit_bytes: int,
        queue_limit: int,
        load_timeout_s: float,
        is_limit_given: bool = True,
        max_leases: int = 32,
        wait_limit_s: float = 300.0,
        idle_ttl_s: float = -1.0,
        min_residency_s: float = 5.0,
        patience_s: float = 10.0,
        keep_spare: bool = True,
        find_pinned: Callable[[], Sequence[str]] = list,
        on_event: OnEvent = lambda event: None,
        on_tick: Callable[[PoolSnapshot], None] = lambda snapshot: None,
        gauge: memory_pressure.Gauge = memory_pressure.available,
        clock: Callable[[], float] = time.monotonic,
        load_span: LoadSpan = lambda card: nullcontext(),
    ) -> None:
        self._find_card, self._find_pinned = find_card, find_pinned
        self._clock, self._on_tick = clock, on_tick
        self._known_pins: set[str] = set()
        self._room = MemoryLedger(limit_bytes, is_given=is_limit_given)
        self._history = DecisionLog(on_event, clock, self._room)
        self._loader = Loader(
            start_runner=start_runner,
            load_timeout_s=load_timeout_s,
            keep_spare=keep_spare,
            clock=clock,
            room=self._room,
            history=self._history,
            on_change=self._dispatch_soon,
            on_failure=lambda model_id, reason: self._queue.fail_load(model_id, reason),
            load_span=load_span,
        )
        self._house = Maintenance(self._loader, idle_ttl_s=idle_ttl_s, gauge=gauge, find_card=find_card)
        self._queue = Scheduler(
            limit=queue_limit,
            max_leases=max_leases,
            wait_limit_s=wait_limit_s,
            min_residency_s=min_residency_s,
            patience_s=patience_s,
            loader=self._loader,
            house=self._house,
        )
        self._is_dispatch_due = self.is_closing = False

    def lease(self, model_id: str, tokens: int = 0, kind: str = "") -> Lease:
        """A claim on `model_id` for up to `tokens` of prompt and answer: entering joins, leaving lets go.

        With a `kind`, a model of another is refused before it is loaded.
        """
        return Lease(self, model_id, tokens, kind)

    async def load(self, model_id: str) -> None:
        """Begin to load a model and return at once; raises what a request would be refused with.

        An operator may: whatever the model did before is forgiven.
        """
        waiter = await self.join(model_id, None)
        waiter.granted.add_done_callback(lambda _: self.leave(waiter))

    async def unload(self, model_id: str, *, is_now: bool = False) -> bool:
        """Unload a model once its last stream has ended; False when it is not resident.

        A load under way is broken off, unless requests wait for it: they are told of it with `is_now` alone.
        """
        resident, waiting = self._room.of(model_id), self._queue.load_of(model_id)
        if waiting and not (resident and resident.state == ModelState.LOADING):
            self._queue.fail(waiting, ModelLoadFailed("An operator ended its load."))
        if not resident:
            return waiting is not None
        if resident.state == ModelState.LOADING:
            if self._is_awaited(model_id) and not is_now:
                raise InvalidValue("Requests wait for this model to load; unload it now to turn them away.")
            self._loader.break_off(resident, "an operator ended its load")
        elif not resident.is_leaving:
            text = f"unloaded {model_id}: an operator asked for it; it held {in_gb(resident.bytes)}"
            self._history.record("unloaded", model_id, text)
            self._loader.send_away(resident)
        return True

    async def refresh(self, model_id: str) -> None:
        """Act on what the catalog now says of a model: its pin, how long it may idle, if it is served."""
        card = await CATALOG.run(self._find_card, model_id)
        if card is None:
            return
        self._note_pin(card)
        if resident := self._room.of(card.id):
            resident.card = _with_choices_of(card, resident.card)
        for waiter in self._queue:
            if waiter.card.id == card.id and not card.is_servable:
                self._queue.fail(waiter, refusals.of_problem(card))
            elif waiter.card.id == card.id:
                waiter.card = card
        self._dispatch()
        if not card.is_servable:
            await self.unload(card.id)

    async def warm_up(self) -> None:
        """Start the spare worker and load the pinned models ahead of the first request."""
        self._begin_ticking()
        logger.info("Models may use %s of memory", in_gb(self._room.limit))
        self._loader.start_spare()
        self._loader.spawn(self._load_pinned())

    def snapshot(self) -> PoolSnapshot:
        """The pool at this moment; callable from any thread."""
        return PoolSnapshot(
            limit_bytes=self._room.limit,
            reserved_bytes=self._room.reserved,
            waiting=sum(waiter.is_request for waiter in self._queue),
            models=tuple(self._shown()),
            is_spare_ready=self._loader.is_spare_ready,
            spare_pid=self._loader.spare_pid,
            pressure=self._house.pressure.level,
            events=self._history.events,
        )

    def preview_load(self, *cards: ModelCard) -> list[LoadPreview]:
        """What loading these models, one after another, would do now; callable from any thread."""
        outlook = Outlook.of(self._room, is_short=self._house.pressure.is_refusing)
        return preview_load(cards, outlook, self._clock())

    def tick(self) -> None:
        """Do all that time brings: called once a second."""
        now = self._clock()
        for resident in self._room.residents:
            resident.age(now)
        self._queue.expire(now)
        self._house.feel_pressure()
        self._house.expire(now, {waiter.card.id for waiter in self._queue})
        self._house.look_at_folders(now)
        self._dispatch()
        self._on_tick(self.snapshot())

    async def close(self) -> None:
        """End every worker; whoever still streams or waits is told that the site shuts down."""
        self.is_closing = True
        for waiter in self._queue:
            self._queue.fail(waiter, ShuttingDown("The server is shutting down."))
        if self._ticking:
            self._ticking.cancel()
        await self._loader.close()

    # A request's way: join, settle, leave; scheduler.py decides what happens in between.

    async def join(self, model_id: str, tokens: int | None = 0, kind: str = "") -> PendingLease:
        """Queue for a model; raises at once what waiting could not mend."""
        self._begin_ticking()
        card = self._servable(model_id, await CATALOG.run(self._find_card, model_id))
        if kind and card.kind != kind:
            raise refusals.of_kind(card)
        if tokens is None:
            self._loader.setbacks_of(card.id).forgive()
            if waiting := self._queue.load_of(card.id):
                return waiting
        else:
            tokens = min(tokens, card.context_length)
        waiter = PendingLease(card, asyncio.get_running_loop().create_future(), self._clock(), tokens)
        self._queue.add(waiter)
        if waiter.granted.done():
            waiter.granted.result()
        return waiter

    def leave(self, waiter: PendingLease) -> None:
        """Give the claim back, wherever it is: queued, granted or refused."""
        self._queue.remove(waiter)
        if not waiter.granted.done():
            waiter.granted.cancel()
        now = self._clock()
        stream = waiter.stream
        if (resident := waiter.give_back(now)) and stream:
            self._loader.durations.leased(resident.card.id, now - stream.granted_at)
            self._loader.let_go_if_drained(resident)
        self._dispatch()

    def settle(self, waiter: PendingLease, tokens: int) -> None:
        """Correct what a granted claim reserves to the tokens its request takes at most."""
        waiter.settle(tokens)
        self._dispatch()

    def progress_of(self, waiter: PendingLease) -> Progress:
        """What a request in the queue waits for."""
        resident = self._room.of(waiter.card.id)
        if resident and resident.state == ModelState.LOADING:
            return Progress(phase="loading", done=resident.percent, total=100)
        return Progress(phase="queued", done=self._queue.place_of(waiter), total=len(self._queue))

    def _is_awaited(self, model_id: str) -> bool:
        """Whether requests wait for it; an operator who had it loaded does not count."""
        return any(waiter.card.id == model_id and waiter.is_request for waiter in self._queue)

    def _dispatch(self) -> None:
        if not self.is_closing:
            self._queue.dispatch()

    def _servable(self, model_id: str, card: ModelCard | None) -> ModelCard:
        if self.is_closing:
            raise ShuttingDown("The server is shutting down.")
        if card is None:
            raise ModelNotFound(
                f"There is no model {model_id!r} here; GET /v1/models lists them.", param="model"
            )
        if not card.is_servable:
            raise refusals.of_problem(card)
        if self._house.pressure.is_refusing and not self._room.of(card.id):
            error = refusals.of_pressure(card, self._queue.retry_after(card))
            self._queue.tell_refusal(card, error, card.resident_bytes)
            raise error
        return card

    # What is known now.

    def _shown(self) -> Iterable[ResidentModel]:
        now, troubled = self._clock(), dict(self._loader.setbacks)
        for resident in self._room.residents:
            setbacks = troubled.pop(resident.card.id, CrashBackoff())
            yield structs.replace(resident.shown(now), restarts=setbacks.restarts, reason=setbacks.reason)
        for model_id in [waiter.card.id for waiter in self._queue if not waiter.is_request]:
            if not self._room.of(model_id):
                restarts = troubled.pop(model_id, CrashBackoff()).restarts
                state, reason = ModelState.LOADING, "waiting for room"
                yield ResidentModel(id=model_id, state=state, restarts=restarts, reason=reason)
        for model_id, setbacks in troubled.items():
            if setbacks.is_shown(now):
                is_failed = setbacks.is_failed or setbacks.is_broken(now)
                yield ResidentModel(
                    id=model_id,
                    state=ModelState.FAILED if is_failed else ModelState.UNLOADED,
                    restarts=setbacks.restarts,
                    retry_in_s=setbacks.retry_in_s(now),
                    reason=setbacks.reason,
                )

    def _note_pin(self, card: ModelCard) -> None:
        resident = self._room.of(card.id)
        was_pinned = card.id in self._known_pins or (resident is not None and resident.card.is_pinned)
        if card.is_pinned and not was_pinned:
            self._known_pins.add(card.id)
            self._history.record("pinned", card.id, f"pinned {card.id}: it keeps its place; {self._room}")
        if was_pinned and not card.is_pinned:
            self._known_pins.discard(card.id)
            self._history.record("unpinned", card.id, f"unpinned {card.id}: it may be evicted when it idles")

    # The clock.

    async def _load_pinned(self) -> None:
        """Load what is pinned, one after another; what cannot be loaded is told and left out."""
        await self._loader.warm()
        for model_id in await CATALOG.run(self._find_pinned):
            self._known_pins.add(model_id)
            try:
                waiter = await self.join(model_id, None)
                await asyncio.wait([waiter.granted])
                self.leave(waiter)
            except ServerError as error:
                logger.warning("The pinned model %s was not loaded: %s", model_id, error.message)

    def _dispatch_soon(self) -> None:
        """Dispatch on the loop's next turn, once for all that changed until then."""
        if not self._is_dispatch_due:
            self._is_dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch_now)

    def _dispatch_now(self) -> None:
        self._is_dispatch_due = False
        self._dispatch()

    def _begin_ticking(self) -> None:
        self.loop = asyncio.get_running_loop()
        if not self._ticking or self._ticking.done():
            self._ticking = self._loader.spawn(self._tick_on())

    async def _tick_on(self) -> None:
        while not self.is_closing:
            await asyncio.sleep(_TICK_S)
            try:
                self.tick()
            except Exception:
                logger.exception("The pool's housekeeping failed; it goes on")


def _with_choices_of(chosen: ModelCard, card: ModelCard) -> ModelCard:
    return structs.replace(
        card,
        is_pinned=chosen.is_pinned,
        idle_ttl_s=chosen.idle_ttl_s,
        aliases=chosen.aliases,
        sampling=chosen.sampling,
    )
