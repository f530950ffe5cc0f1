"""What loading models would do now, by the scheduler's own rules. Pure: nothing is decided or reserved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inference.core.model_card import ModelCard
from inference.pool.residency import eviction
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.resident import Resident
from inference.pool.scheduling import refusals

Outcome = Literal[
    "refused",  # as a request would be; `problem` has the reason
    "resident",  # it is in memory already
    "draining",  # it is loaded again once it has been unloaded
    "fits",
    "evicts",  # prefixes are shed or idle models evicted for it
    "waits",  # it waits until a busy model is idle
]


@dataclass(frozen=True)
class FreedBytes:
    """What one model gives up: all of its bytes, or some of its prefix cache."""

    model: str
    bytes: int
    idle_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LoadPreview:
    """The outcome of one load with its numbers; `free_bytes` are those before it."""

    outcome: Outcome
    problem: str = ""
    held_bytes: int = 0  # by the model itself, where it is resident
    needed_bytes: int = 0
    free_bytes: int = 0
    limit_bytes: int = 0
    evicted: tuple[FreedBytes, ...] = ()
    shed: tuple[FreedBytes, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether a load would be accepted and have something to do."""
        return self.outcome not in {"refused", "resident"}

    @property
    def taken_bytes(self) -> int:
        """How many fewer bytes are free afterwards."""
        if self.outcome not in {"fits", "evicts"}:
            return 0
        return self.needed_bytes - sum(freed.bytes for freed in (*self.evicted, *self.shed))


@dataclass(frozen=True)
class Outlook:
    """What a load would find: the residents, the free bytes of the limit, and the system's memory."""

    residents: Sequence[Resident]
    free: int
    limit: int
    is_short: bool  # memory pressure refuses loads

    @classmethod
    def of(cls, ledger: MemoryLedger, *, is_short: bool) -> "Outlook":
        return cls(ledger.residents, ledger.free + ledger.reclaiming, ledger.limit, is_short)

    def after(self, preview: LoadPreview) -> "Outlook":
        """What the next load would find after this one."""
        evicted = {freed.model for freed in preview.evicted}
        residents = [one for one in self.residents if one.card.id not in evicted]
        return Outlook(residents, self.free - preview.taken_bytes, self.limit, self.is_short)


def preview_loads(cards: Sequence[ModelCard], outlook: Outlook, now: float) -> list[LoadPreview]:
    """Preview loads of these models one after another, each without a request."""
    previews: list[LoadPreview] = []
    for card in cards:
        previews.append(_preview(card, outlook, now))
        outlook = outlook.after(previews[-1])
    return previews


def _preview(card: ModelCard, outlook: Outlook, now: float) -> LoadPreview:
    if not card.is_servable:
        return LoadPreview(outcome="refused", problem=f"It cannot be served: {card.problem}")
    residents, free, limit = outlook.residents, outlook.free, outlook.limit
    if resident := next((one for one in residents if one.card.id == card.id), None):
        outcome: Outcome = "draining" if resident.is_leaving else "resident"
        return LoadPreview(outcome=outcome, held_bytes=resident.bytes)
    if outlook.is_short:
        return LoadPreview(outcome="refused", problem=refusals.pressure_error(card, 0).message)
    if error := refusals.unservable_error(card, 0, residents, limit):
        return LoadPreview(outcome="refused", problem=error.message)
    need = card.load_bytes
    if need <= free:
        return LoadPreview(outcome="fits", needed_bytes=need, free_bytes=free, limit_bytes=limit)
    plan = eviction.plan_eviction(residents, [one for one in residents if one.is_evictable], need - free)
    if not plan.is_enough:
        return LoadPreview(outcome="waits", needed_bytes=need, free_bytes=free, limit_bytes=limit)
    return LoadPreview(
        outcome="evicts",
        needed_bytes=need,
        free_bytes=free,
        limit_bytes=limit,
        evicted=tuple(FreedBytes(one.card.id, one.bytes, now - one.last_used) for one in plan.victims),
        shed=tuple(FreedBytes(one.card.id, amount) for one, amount in plan.sheds),
    )
