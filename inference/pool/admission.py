"""Admission of requests: which requests may wait for a model, and how leases are given back."""

import asyncio
from collections.abc import Callable

from inference.core.errors import ShuttingDown
from inference.core.events import Progress
from inference.core.model_card import LoraCard, ModelCard
from inference.core.pool_state import ModelState
from inference.core.profile import Profile
from inference.core.threads import CATALOG
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.memory_pressure import MemoryPressure
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.unloader import Unloader
from inference.pool.scheduling import refusals
from inference.pool.scheduling.scheduler import Scheduler


class Admission:
    """Issues leases; the scheduler decides in which order they are granted.

    `on_join` is called for each request before anything else, `dispatch` after each change.
    """

    def __init__(
        self,
        records: PoolRecords,
        scheduler: Scheduler,
        *,
        find_card: Callable[[str], ModelCard | None],
        pressure: MemoryPressure,
        unloader: Unloader,
        on_join: Callable[[], None],
        dispatch: Callable[[], None],
    ) -> None:
        self._records = records
        self._ledger = records.ledger
        self._scheduler = scheduler
        self._find_card = find_card
        self._pressure = pressure
        self._unloader = unloader
        self._on_join = on_join
        self._dispatch = dispatch
        self.is_closed = False
        self.is_draining = False  # no more requests are taken, and those that were are answered

    async def join(
        self,
        model_id: str,
        tokens: int | None = 0,
        kind: str = "",
        answers: Answers | None = None,
        share: str = "",
    ) -> PendingLease:
        """Queue for a model; `tokens` is None for an operator's load, which resets the crash back-off.

        Those are of the prompts; for `answers` a first slice is reserved, which grows while they run.

        Raises the ServerError of a request that waiting could not help.
        """
        self._on_join()
        card = self._check_servable(model_id, *await CATALOG.run(self._find, model_id))
        if card.is_remote and (resident := self._ledger.of(card.id)):
            resident.card = card  # the upstream is set up again without a load
        variant = card.variant_of(model_id)
        lora = variant if isinstance(variant, LoraCard) else None
        if lora:
            refusals.check_lora(card, lora)
        if kind and card.kind != kind:
            raise refusals.kind_error(card, kind)
        if tokens is None:
            self._records.backoffs.of(card.id).reset()
            if waiting := self._scheduler.load_of(card.id):
                return waiting
        granted = asyncio.get_running_loop().create_future()
        pending = PendingLease(card, granted, self._records.clock(), tokens, lora, answers, share=share)
        pending.profile = variant if isinstance(variant, Profile) else None
        pending.first_tokens = self._records.lengths.median(card.id) if answers else 0
        self._scheduler.add(pending)
        self._dispatch()
        self._scheduler.refuse_if_over_limit(pending)
        if pending.granted.done():
            pending.granted.result()
        return pending

    def leave(self, pending: PendingLease) -> None:
        """Give a lease back, whether it waits, is granted or was refused."""
        self._scheduler.remove(pending)
        if not pending.granted.done():
            pending.granted.cancel()
        now = self._records.clock()
        stream = pending.stream
        if (resident := pending.release(now)) and stream:
            self._records.durations.add_lease(resident.card.id, max(0.0, now - stream.granted_at))
            self._unloader.stop_if_drained(resident)
        self._dispatch()

    def accept(self, pending: PendingLease, prompt_tokens: int, most_tokens: int) -> None:
        """Correct what a granted lease reserves, now that its worker has counted."""
        pending.accept(prompt_tokens, most_tokens)
        self._dispatch()

    def note_length(self, pending: PendingLease, tokens: int) -> None:
        """Count the length of an answer that has ended."""
        self._records.lengths.add(pending.card.id, tokens)

    def progress_of(self, pending: PendingLease) -> Progress:
        """What a request in the queue waits for."""
        resident = self._ledger.of(pending.card.id)
        if resident and resident.state == ModelState.LOADING:
            progress = resident.progress
            return Progress(phase="loading", done=progress.percent, total=100, load_phase=progress.phase)
        position, own = self._scheduler.position_of(pending)
        return Progress(phase="queued", done=position, total=len(self._scheduler), own=own)

    def close(self) -> None:
        """Admit no more requests, and fail those that wait with ShuttingDown."""
        self.is_closed = True
        for pending in self._scheduler:
            self._scheduler.fail(pending, ShuttingDown("The server is shutting down."))

    def _find(self, model_id: str) -> tuple[ModelCard | None, ModelCard | None]:
        """The card that an id names; where there is none, that of `model` in `model:adapter`."""
        card = self._find_card(model_id)
        return card, None if card else self._find_card(model_id.rpartition(":")[0])

    def _check_servable(self, model_id: str, card: ModelCard | None, base: ModelCard | None) -> ModelCard:
        """Return the card; raises ShuttingDown, ModelNotFound, ModelLoadFailed or PoolFull."""
        if self.is_closed:
            raise ShuttingDown("The server is shutting down.")
        if self.is_draining:
            text = (
                "The server is shutting down and accepts no more requests; try again after it has restarted."
            )
            raise ShuttingDown(text)
        if card is None:
            raise refusals.unknown_error(model_id, base)
        if not card.is_servable:
            raise refusals.problem_error(card)
        is_load = not card.is_remote and not self._ledger.of(card.id)
        if self._pressure.is_refusing and is_load:
            error = refusals.pressure_error(card, self._scheduler.retry_after(card))
            raise self._scheduler.record_refusal(card, error, card.resident_bytes)
        return card
