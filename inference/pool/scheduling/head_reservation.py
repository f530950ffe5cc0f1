"""Fairness: what the first request that lacks memory may keep from those behind it. Pure: takes the time.

The rule is a reservation for the head of the line with backfilling. Requests are served in order, and one
that fits need not wait for one that does not: a resident model with free memory takes its requests however
long the queue is. Of those that lack memory, only the first, the head, has memory freed for it, and no load
begins behind it. The models that yield to it (unpinned ones, fewest streams first) go on with their own
requests, so that a loaded model serves all that wait for it, within these bounds:

- No request may be expected to keep an earlier one waiting for longer than strict order would have kept it
  anyway (overtaking.py). So no request waits for more than twice as long as in strict order, as far as the
  requests of one model take equally long.
- Once the head has waited for its patience, only those requests are taken that waited for the model when it
  was loaded, and no other request may take bytes without which the head would not fit once the yielding
  models are gone.

Before that, no request waits for bytes that are unused.
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
    """The reservation of the head. It outlives a round, so that the same models keep yielding."""

    def __init__(self, patience_s: float, durations: Durations) -> None:
        self._patience_s = patience_s
        self._durations = durations
        self._spare = 0
        self._yielding: list[Resident] = []
        self._head: PendingLease | None = None
        self._waiting: list[PendingLease] = []  # the requests that lack memory, in order
        self._overtaking: Overtaking | None = None  # None: nothing is reserved
        self._latest = math.inf  # when the streams of the yielding models should have ended
        self._is_patient = True
        self._now = 0.0

    def begin_round(self, now: float) -> None:
        """Start a round; nothing is reserved before the first request that lacks memory."""
        for pending in self._waiting:
            if pending.is_overtaken:
                pending.overtaken_s += now - self._now
        self._waiting, self._now = [], now
        self._overtaking, self._latest = None, math.inf

    def reserve(
        self, head: PendingLease, missing: int, residents: Collection[Resident], movable: Collection[Resident]
    ) -> None:
        """Reserve for the head, which lacks `missing` bytes; `movable` are the models that may yield."""
        self._is_patient = self._now - head.since < self._patience_s
        if self._head is not head or self._is_patient:
            self._head, self._yielding = head, []
        missing -= eviction.reclaiming(residents) + sum(r.sheddable for r in residents if r not in movable)
        self._yielding = [resident for resident in self._yielding if resident in movable]
        others = [resident for resident in movable if resident not in self._yielding]
        self._yielding += eviction.plan_drain(others, missing - eviction.reserved(self._yielding))
        self._spare = sys.maxsize if self._is_patient else eviction.reserved(self._yielding) - missing
        self._overtaking = Overtaking(self._yielding, self._durations, self._now)

    def add_waiting(self, pending: PendingLease) -> None:
        """Add a request that lacks memory: later ones may overtake it only for a limited time."""
        self._waiting.append(pending)
        if self._overtaking:
            self._latest = min(self._latest, self._overtaking.latest_for(pending))

    def blocks(self, pending: PendingLease, resident: Resident | None, cost: int) -> bool:
        """Whether a later request may not take `cost` bytes of `resident`; None is a model to be loaded."""
        if self._overtaking is None:
            return False
        if resident not in self._yielding:
            return resident is None or cost > self._spare
        is_late = pending.since > resident.ready_at
        if is_late and not (
            self._is_patient and self._head and not self._overtaking.is_overtaken(self._head)
        ):
            return True
        return self._overtaking.end_of_next(resident) > self._latest + _ROUNDING_S

    def consume(self, resident: Resident | None, cost: int) -> None:
        """Count the bytes that a later request takes; those of yielding models are freed with them."""
        if resident not in self._yielding:
            self._spare -= cost

    def end_round(self) -> None:
        """Note the requests that only later ones keep waiting: they are overtaken from now on."""
        for pending in self._waiting:
            pending.is_overtaken = self._overtaking is not None and self._overtaking.is_overtaken(pending)
