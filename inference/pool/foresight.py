"""What loading a model would do now, in words with numbers. Pure: nothing is decided or reserved."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.pool import budget, refusal
from inference.pool.budget import in_gb
from inference.pool.resident import Resident
from inference.pool.room import Room
from inference.types import ModelCard


@dataclass(frozen=True)
class Foresight:
    """Who would make room, by id; `words` tells it to the operator."""

    words: str
    evicted: tuple[str, ...] = ()


def foresee(card: ModelCard, room: Room, now: float) -> Foresight:
    """By the pool's own rules, for a load of the model without a request; callable from any thread."""
    if not card.is_servable:
        return Foresight(f"It cannot be served: {card.problem}")
    residents = room.residents
    if resident := room.of(card.id):
        state = "on its way out" if resident.is_leaving else "in memory already"
        return Foresight(f"It is {state}, with {in_gb(resident.bytes)}.")
    if error := refusal.of_hopeless(card, 0, residents, room.limit):
        return Foresight(error.message)
    need, free = card.load_bytes, room.free + room.coming
    takes = f"It takes {in_gb(need)}; {in_gb(max(free, 0))} of {in_gb(room.limit)} are free"
    if need <= free:
        return Foresight(f"{takes}, so nothing has to go.")
    plan = budget.make_room(residents, [one for one in residents if one.is_evictable], need - free)
    if not plan.is_enough:
        return Foresight(f"{takes}, and what idles is not enough: it waits until a busy model is idle.")
    evicted = tuple(victim.card.id for victim in plan.victims)
    return Foresight(f"{takes}, so {_given_up(plan, now)}.", evicted)


def _given_up(plan: budget.Plan[Resident], now: float) -> str:
    victims: Sequence[str] = [
        f"{one.card.id} is unloaded ({in_gb(one.bytes)}, idle for {now - one.last_used:.0f} s)"
        for one in plan.victims
    ]
    sheds = [f"{in_gb(amount)} of prefixes of {one.card.id} are dropped" for one, amount in plan.sheds]
    return " and ".join([*victims, *sheds])
