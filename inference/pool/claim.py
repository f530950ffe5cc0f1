"""Fairness: what the first request that lacks room may keep from those behind it. Pure: told the time.

The rule. Requests are served in order, and whoever finds room need not wait for one that does not: a
resident model with room takes its requests however long the queue is. Of those that lack room only the
first, the head, has room made for it, and no load begins behind it. Once the head has waited for its
patience, models that are to make way for it (unpinned, resident for long enough, those with the fewest
streams first) get no more streams, and nobody else may take bytes without which the head would not fit
when they are gone. So the head is overtaken for a bounded time, and before that nobody waits for bytes
that nobody uses.
"""

import sys
from collections.abc import Collection

from inference.pool import budget
from inference.pool.lease import Waiter
from inference.pool.resident import Resident


class Claim:
    """The claim of the head. It outlives a round, so that those who make way stay the same."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._spare = 0
        self._making_way: list[Resident] = []
        self._head: Waiter | None = None
        self._is_staked = False

    def begin_round(self) -> None:
        """The queue is gone through anew; nobody has a claim before the first who lacks room."""
        self._is_staked = False

    def stake(
        self,
        waiter: Waiter,
        missing: int,
        residents: Collection[Resident],
        movable: Collection[Resident],
        now: float,
    ) -> None:
        """The head, `waiter`, misses so many bytes; `movable` are those that may be made to leave for it."""
        if self._head is not waiter:
            self._head, self._making_way = waiter, []
        self._is_staked = True
        if now - waiter.since < self._patience_s:
            self._spare = sys.maxsize
            return
        missing -= budget.coming(residents) + sum(r.sheddable for r in residents if r not in movable)
        self._making_way = [resident for resident in self._making_way if resident in movable]
        others = [resident for resident in movable if resident not in self._making_way]
        self._making_way += budget.make_way(others, missing - budget.reserved(self._making_way))
        self._spare = budget.reserved(self._making_way) - missing

    def withholds(self, resident: Resident | None, cost: int) -> bool:
        """Whether a later request may not have these bytes there; None is a model to be loaded."""
        return self._is_staked and (resident is None or resident in self._making_way or cost > self._spare)

    def concede(self, cost: int) -> None:
        """A later request takes these bytes."""
        self._spare -= cost
