"""Fairness: what the first request that lacks room may keep from those behind it. Pure: told the time.

The rule. Requests are served in order, and whoever finds room need not wait for one that does not: a
resident model with room takes its requests however long the queue is. Of those that lack room only the
first, the head, has room made for it, and no load begins behind it. Models that are to make way for it
(unpinned ones, those with the fewest streams first) go on with their own requests, so that a model which
was loaded serves all who wait for it, but not for ever:

- No request may be expected to keep one that came before it waiting for longer than strict order would
  have kept it anyway (overtaking.py). So nobody waits for more than twice as long as in strict order, as far
  as the requests of one model take alike.
- Once the head has waited for its patience, only those are taken that waited for the model when it was
  loaded; and nobody else may take bytes without which the head would not fit when the others are gone.

Before that nobody waits for bytes that nobody uses.
"""

import math
import sys
from collections.abc import Collection

from inference.pool.residency import eviction
from inference.pool.residency.durations import Durations
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident
from inference.pool.scheduling.overtaking import Overtaking

_ROUNDING_S = 1e-3  # two sums of the same seconds


class HeadReservation:
    """The claim of the head. It outlives a round, so that those who make way stay the same."""

    def __init__(self, patience_s: float, durations: Durations) -> None:
        self._patience_s = patience_s
        self._durations = durations
        self._spare = 0
        self._making_way: list[Resident] = []
        self._head: PendingLease | None = None
        self._line: list[PendingLease] = []  # who lacks room, in order
        self._overtaking: Overtaking | None = None  # None: nobody has a claim
        self._latest = math.inf  # when the streams of those who make way should have ended
        self._is_patient = True
        self._now = 0.0

    def begin_round(self, now: float) -> None:
        """The queue is gone through anew; nobody has a claim before the first who lacks room."""
        for waiter in self._line:
            if waiter.is_overtaken:
                waiter.overtaken_s += now - self._now
        self._line, self._now = [], now
        self._overtaking, self._latest = None, math.inf

    def reserve(
        self, head: PendingLease, missing: int, residents: Collection[Resident], movable: Collection[Resident]
    ) -> None:
        """The head misses so many bytes; `movable` are those that may be made to leave for it."""
        self._is_patient = self._now - head.since < self._patience_s
        if self._head is not head or self._is_patient:
            self._head, self._making_way = head, []
        missing -= eviction.coming(residents) + sum(r.sheddable for r in residents if r not in movable)
        self._making_way = [resident for resident in self._making_way if resident in movable]
        others = [resident for resident in movable if resident not in self._making_way]
        self._making_way += eviction.plan_drain(others, missing - eviction.reserved(self._making_way))
        self._spare = sys.maxsize if self._is_patient else eviction.reserved(self._making_way) - missing
        self._overtaking = Overtaking(self._making_way, self._durations, self._now)

    def line_up(self, waiter: PendingLease) -> None:
        """One who lacks room: whoever comes later may overtake it for so long only."""
        self._line.append(waiter)
        if self._overtaking:
            self._latest = min(self._latest, self._overtaking.latest_for(waiter))

    def blocks(self, waiter: PendingLease, resident: Resident | None, cost: int) -> bool:
        """Whether a later request may not have these bytes there; None is a model to be loaded."""
        if self._overtaking is None:
            return False
        if resident not in self._making_way:
            return resident is None or cost > self._spare
        is_late = waiter.since > resident.ready_at
        if is_late and not (
            self._is_patient and self._head and not self._overtaking.is_overtaken(self._head)
        ):
            return True
        return self._overtaking.end_of_next(resident) > self._latest + _ROUNDING_S

    def consume(self, resident: Resident | None, cost: int) -> None:
        """A later request takes these bytes; those of models that make way come back with them."""
        if resident not in self._making_way:
            self._spare -= cost

    def end_round(self) -> None:
        """From now on those are overtaken whom later requests alone keep waiting."""
        for waiter in self._line:
            waiter.is_overtaken = self._overtaking is not None and self._overtaking.is_overtaken(waiter)
