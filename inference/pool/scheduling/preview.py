"""What loading models would do now, in words with numbers. Pure: nothing is decided or reserved."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.core.model_card import ModelCard
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.resident import Resident
from inference.pool.scheduling import refusals


@dataclass(frozen=True)
class LoadPreview:
    """Who would make room, by id, and the bytes it would leave fewer; `words` tells it to the operator."""

    words: str
    evicted: tuple[str, ...] = ()
    takes: int = 0
    is_possible: bool = True  # False: a load would be refused, or have nothing to do


@dataclass(frozen=True)
class Outlook:
    """What a load would find: who is there, the free bytes of the limit, and whether the system is short."""

    residents: Sequence[Resident]
    free: int
    limit: int
    is_short: bool

    @classmethod
    def of(cls, room: MemoryLedger, *, is_short: bool) -> "Outlook":
        return cls(room.residents, room.free + room.coming, room.limit, is_short)

    def after(self, told: LoadPreview) -> "Outlook":
        there = [one for one in self.residents if one.card.id not in told.evicted]
        return Outlook(there, self.free - told.takes, self.limit, self.is_short)


def preview_load(cards: Sequence[ModelCard], outlook: Outlook, now: float) -> list[LoadPreview]:
    """By the pool's own rules, for loads of these models one after another, without a request."""
    told: list[LoadPreview] = []
    for card in cards:
        told.append(_foresee(card, outlook, now))
        outlook = outlook.after(told[-1])
    return told


def _foresee(card: ModelCard, outlook: Outlook, now: float) -> LoadPreview:
    if not card.is_servable:
        return LoadPreview(f"It cannot be served: {card.problem}", is_possible=False)
    residents = outlook.residents
    if resident := next((one for one in residents if one.card.id == card.id), None):
        state = "on its way out" if resident.is_leaving else "in memory already"
        words = f"It is {state}, with {in_gb(resident.bytes)}."
        return LoadPreview(words, is_possible=resident.is_leaving)
    if outlook.is_short:
        return LoadPreview(refusals.of_pressure(card, 0).message, is_possible=False)
    if error := refusals.of_hopeless(card, 0, residents, outlook.limit):
        return LoadPreview(error.message, is_possible=False)
    need, free = card.load_bytes, outlook.free
    takes = f"It takes {in_gb(need)}; {in_gb(max(free, 0))} of {in_gb(outlook.limit)} are free"
    if need <= free:
        return LoadPreview(f"{takes}, so nothing has to go.", takes=need)
    plan = eviction.plan_eviction(residents, [one for one in residents if one.is_evictable], need - free)
    if not plan.is_enough:
        return LoadPreview(f"{takes}, and what idles is not enough: it waits until a busy model is idle.")
    evicted = tuple(victim.card.id for victim in plan.victims)
    freed = sum(victim.bytes for victim in plan.victims) + sum(amount for _, amount in plan.sheds)
    return LoadPreview(f"{takes}, so {_given_up(plan, now)}.", evicted, need - freed)


def _given_up(plan: eviction.Plan[Resident], now: float) -> str:
    victims: Sequence[str] = [
        f"{one.card.id} is unloaded ({in_gb(one.bytes)}, idle for {now - one.last_used:.0f} s)"
        for one in plan.victims
    ]
    sheds = [f"{in_gb(amount)} of prefixes of {one.card.id} are dropped" for one, amount in plan.sheds]
    return " and ".join([*victims, *sheds])
