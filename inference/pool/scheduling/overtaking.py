"""How long later requests may keep one waiting: as long as strict order would have. Pure: takes the time.

A request that lacks memory waits for the streams of the models that yield. In strict order, which is that of
the queue (fair_queue.py), it would wait for those that were granted before it came or in their turn; the
others have overtaken it. The time that they alone kept it waiting so far,
and what one more would add, stays within the rest of its wait, and so the whole within twice of that.

How long a stream will run is not known. It is taken to run as long as its model's streams did (a mean in
which the newest count most), and at least as long as the longest that runs now; durations that were never
measured count as nothing for the request that waits. So the promise holds as far as the requests of one
model take equally long; behind an answer that runs for longer than those before it the wait is longer.
"""

from collections.abc import Collection

from inference.pool.residency.durations import Durations
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident


class Overtaking:
    """When the streams of the yielding models will have ended, as seen at one moment."""

    def __init__(self, yielding: Collection[Resident], durations: Durations, now: float) -> None:
        self._yielding = yielding
        self._durations = durations
        self._now = now
        self._run_s = {resident.card.id: self._expected_s(resident) for resident in yielding}

    def latest_for(self, pending: PendingLease) -> float:
        """When the last of the streams may end without keeping this request waiting for too long."""
        due, known_due = self._due(pending)
        strict_s = (
            known_due - pending.since - pending.overtaken_s + self._durations.known_load_s(pending.card.id)
        )
        return due + max(0.0, strict_s - pending.overtaken_s)

    def end_of_next(self, resident: Resident) -> float:
        """When a stream that begins now will have ended."""
        return self._now + self._run_s[resident.card.id]

    def is_overtaken(self, pending: PendingLease) -> bool:
        """Whether there are streams, and all of them have overtaken this request."""
        numbers = {stream.number for resident in self._yielding for stream in resident.streams}
        return bool(numbers) and numbers <= pending.overtaken_by

    def _due(self, pending: PendingLease) -> tuple[float, float]:
        """When those that have not overtaken it will have ended, at all and as far as it was measured."""
        due = known_due = self._now
        for resident in self._yielding:
            ends = [
                stream.granted_at for stream in resident.streams if stream.number not in pending.overtaken_by
            ]
            if ends:
                end = max(ends) + self._run_s[resident.card.id]
                due = max(due, end)
                if self._durations.lease_s_of(resident.card.id) is not None:
                    known_due = max(known_due, end)
        return due, known_due

    def _expected_s(self, resident: Resident) -> float:
        usual = self._durations.lease_s_of(resident.card.id)
        if usual is not None:
            return usual
        oldest = min((stream.granted_at for stream in resident.streams), default=self._now)
        return max(self._durations.lease_s, self._now - oldest)
