"""Bytes: who must give up what so that somebody else fits. Pure decisions, no clock and no processes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from inference.core.pool_state import Memory
from inference.core.units import in_gb


class Holder(Protocol):
    """Whatever holds bytes of the budget."""

    last_used: float

    @property
    def leases(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def sheddable(self) -> int: ...

    @property
    def coming(self) -> int: ...


H = TypeVar("H", bound=Holder)


@dataclass(frozen=True)
class Plan(Generic[H]):
    """Whose prefix caches shrink, each by so many bytes, and who goes; `is_enough` when that makes room."""

    sheds: tuple[tuple[H, int], ...] = ()
    victims: tuple[H, ...] = ()
    is_enough: bool = True


def reserved(holders: Iterable[Holder]) -> int:
    return sum(holder.bytes for holder in holders)


def coming(holders: Iterable[Holder]) -> int:
    """Bytes on their way back."""
    return sum(holder.coming for holder in holders)


def plan_eviction(holders: Collection[H], evictable: Collection[H], missing: int) -> Plan[H]:
    """Find `missing` bytes: in prefix caches if they have them, else by evicting, least recently used first.

    Caches of those who are evicted go with them, so only what is missing then is shed from the others.
    """
    caches = sum(holder.sheddable for holder in holders)
    victims: list[H] = []
    for victim in least_recently_used(evictable):
        if caches >= missing:
            break
        victims.append(victim)
        caches -= victim.sheddable
        missing -= victim.bytes
    sheds: list[tuple[H, int]] = []
    for holder in least_recently_used(h for h in holders if h not in victims):
        amount = min(holder.sheddable, missing)
        if amount > 0:
            sheds.append((holder, amount))
            missing -= amount
    return Plan(tuple(sheds), tuple(victims), missing <= 0)


def plan_drain(holders: Iterable[H], missing: int) -> list[H]:
    """Those who take no more streams until `missing` bytes came together: those with the fewest first."""
    chosen: list[H] = []
    for holder in sorted(holders, key=lambda h: (h.leases, h.last_used)):
        if missing <= 0:
            break
        chosen.append(holder)
        missing -= holder.bytes
    return chosen


def least_recently_used(holders: Iterable[H]) -> Sequence[H]:
    """Idle ones first, then those in use; each in the order in which they were last left."""
    return sorted(holders, key=lambda h: (h.leases > 0, h.last_used))


def figures(memory: Memory) -> str:
    """A worker's memory for the log."""
    return (
        f"{in_gb(memory.active)} active, {in_gb(memory.peak)} peak, {in_gb(memory.cache)} cached, "
        f"{in_gb(memory.resident)} resident"
    )
