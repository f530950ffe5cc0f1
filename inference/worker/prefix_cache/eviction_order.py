"""Which prefixes are worth their memory: whether somebody came back to them, and after how much else.

Time is measured in bytes: those of the prefixes that were used or stored meanwhile. Prefixes are dropped in
the order of RANKS. Within a rank goes first what is expected back last, for the bytes that it takes and the
tokens that would have to be computed again (the costs of GreedyDual-Size-Frequency,
https://www.hpl.hp.com/techreports/98/HPL-98-69R1.html).

A prefix is expected back after the shorter of its last two gaps, one without any after the usual gap of
others; one that is overdue is expected after as long again. Least recently used first would be the worst
order for conversations that take turns: each of them is dropped just before it is needed.
"""

from dataclasses import dataclass

RANKS = (
    "held by a running sequence, which stores it again when it ends",
    "never come back to, and older than the latest half of what is kept",
    "come back to, but idle for longer than the limit and four times its usual gap",
    "never come back to, in the order of last use",
    "come back to",
)
_LENT, _UNUSED, _STALE, _RECENT, _USED = range(len(RANKS))
_IDLE_GAPS = 4
_FIRST_GUESS = 1.25  # of the limit: the usual gap before any has been seen


@dataclass
class PrefixUse:
    """When a prefix was used last, and how it was come back to. All times are in bytes."""

    last: int
    returns: int = 0
    gap: int = 0  # the last one
    expected: int = 0  # the shorter of the last two

    def note_return(self, now: int) -> None:
        """Somebody came back to it."""
        gap = now - self.last
        self.expected = min(gap, self.gap) if self.returns else gap
        self.gap, self.last, self.returns = gap, now, self.returns + 1


class UsualGap:
    """How long prefixes that are come back to are usually idle: a moving average."""

    def __init__(self) -> None:
        self._mean: float | None = None

    def note(self, gap: int) -> None:
        self._mean = gap if self._mean is None else self._mean + (gap - self._mean) / 4

    def of(self, limit: int) -> float:
        """The usual gap in bytes; before any has been seen, a little more than `limit`."""
        return _FIRST_GUESS * limit if self._mean is None else self._mean


@dataclass(frozen=True)
class Cost:
    """What dropping a prefix frees, and what would have to be computed again."""

    bytes: int
    tokens: int


def eviction_order(
    usage: PrefixUse, cost: Cost, *, now: int, limit: int, keep: int, usual_gap: float, is_lent: bool
) -> tuple[int, float]:
    """The rank of a prefix and its place in the rank: the smallest are dropped first.

    `keep` bytes are to be left of `limit`.
    """
    idle = now - usage.last
    weight = cost.bytes / max(1, cost.tokens)
    if is_lent:
        return _LENT, -idle * weight
    if usage.returns:
        is_stale = idle > max(limit, _IDLE_GAPS * usage.expected)
        return (_STALE if is_stale else _USED), -abs(usage.expected - idle) * weight
    if idle * 2 <= keep:
        return _RECENT, -idle * weight
    return _UNUSED, -abs(usual_gap - idle) * weight
