"""Eviction plans: which models give up which bytes so that another one fits. Pure decisions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from inference.core.pool_state import Memory
from inference.core.units import in_gb


class Holder(Protocol):
    """Something that holds bytes of the memory limit."""

    last_used: float

    @property
    def leases(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def sheddable(self) -> int: ...

    @property
    def reclaiming(self) -> int: ...


H = TypeVar("H", bound=Holder)


@dataclass(frozen=True)
class EvictionPlan(Generic[H]):
    """The prefix caches to shrink, each with its bytes, and the models to evict.

    `is_enough` is whether that frees what is missing.
    """

    sheds: tuple[tuple[H, int], ...] = ()
    victims: tuple[H, ...] = ()
    is_enough: bool = True


def reserved(holders: Iterable[Holder]) -> int:
    return sum(holder.bytes for holder in holders)


def reclaiming(holders: Iterable[Holder]) -> int:
    """Bytes that are being freed."""
    return sum(holder.reclaiming for holder in holders)


def plan_eviction(holders: Collection[H], evictable: Collection[H], missing: int) -> EvictionPlan[H]:
    """Plan how to free `missing` bytes.

    1. While all prefix caches together hold less than is missing, choose the least recently used evictable
       model. Its own cache goes with it.
    2. Shed what is still missing from the caches of the other models, least recently used first.
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
    return EvictionPlan(tuple(sheds), tuple(victims), missing <= 0)


def plan_drain(holders: Iterable[H], missing: int) -> list[H]:
    """Choose models that take no more streams until `missing` bytes are freed: fewest streams first."""
    chosen: list[H] = []
    for holder in sorted(holders, key=lambda h: (h.leases, h.last_used)):
        if missing <= 0:
            break
        chosen.append(holder)
        missing -= holder.bytes
    return chosen


def least_recently_used(holders: Iterable[H]) -> Sequence[H]:
    """Idle models first, then those in use; each group in the order of last use."""
    return sorted(holders, key=lambda h: (h.leases > 0, h.last_used))


def figures(memory: Memory) -> str:
    """A worker's memory figures as text for the log."""
    return (
        f"{in_gb(memory.active)} active, {in_gb(memory.peak)} peak, {in_gb(memory.cache)} cached, "
        f"{in_gb(memory.resident)} resident"
    )
