"""Bytes: who must go so that another fits. Pure decisions, no clock and no processes."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from inference.types import Memory


class Holder(Protocol):
    """Whatever holds bytes of the budget."""

    last_used: float

    @property
    def bytes(self) -> int: ...

    @property
    def is_evictable(self) -> bool: ...

    @property
    def is_leaving(self) -> bool: ...


H = TypeVar("H", bound=Holder)


def reserved(holders: Iterable[Holder]) -> int:
    return sum(holder.bytes for holder in holders)


def victims(holders: Sequence[H], need: int, limit: int) -> list[H]:
    """The least recently used idle holders whose leaving, with those already leaving, makes `need` fit.

    Empty when enough is free or on its way, and also when evicting every idle one would not do:
    then nobody is sent away for nothing.
    """
    missing = need - (limit - reserved(holders)) - reserved(h for h in holders if h.is_leaving)
    chosen: list[H] = []
    for holder in sorted((h for h in holders if h.is_evictable), key=lambda h: h.last_used):
        if missing <= 0:
            break
        chosen.append(holder)
        missing -= holder.bytes
    return chosen if missing <= 0 else []


def figures(memory: Memory) -> str:
    """A worker's memory for the log."""
    return (
        f"{in_gb(memory.active)} active, {in_gb(memory.peak)} peak, {in_gb(memory.cache)} cached, "
        f"{in_gb(memory.resident)} resident"
    )


def in_gb(amount: int) -> str:
    """Bytes for people: "0.6 GB"."""
    return f"{amount / 1e9:.1f} GB"
