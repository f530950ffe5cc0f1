"""How long later requests may keep one waiting: as long as strict order would have. Pure: told the time.

One that lacks room waits for the streams of the models that are to make way. In strict order it would wait
for those that came before it; the others have overtaken it. What they alone kept it waiting so far, and
what one more would add, stays within the rest of its wait, and so the whole within twice of that.

How long a stream will run is not known. It is taken to run as long as its model's streams did (a mean in
which the newest count most), and at least as long as the longest that runs now; what nobody has measured
counts for nothing on the side of the one that waits. So the promise is kept as far as the requests of one
model take alike; where an answer runs on for longer than those before it, whoever waits for it waits longer.
"""

from collections.abc import Collection

from inference.pool.residency.durations import Durations
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident


class Overtaking:
    """When the streams of the models that are to make way will have ended, as seen at one moment."""

    def __init__(self, making_way: Collection[Resident], durations: Durations, now: float) -> None:
        self._making_way = making_way
        self._durations = durations
        self._now = now
        self._run_s = {resident.card.id: self._expected_s(resident) for resident in making_way}

    def latest_for(self, waiter: PendingLease) -> float:
        """When the last of the streams may end without keeping this one for too long."""
        due, known_due = self._due(waiter)
        strict_s = (
            known_due - waiter.since - waiter.overtaken_s + self._durations.known_load_s(waiter.card.id)
        )
        return due + max(0.0, strict_s - waiter.overtaken_s)

    def end_of_next(self, resident: Resident) -> float:
        """When a stream that begins now will have ended."""
        return self._now + self._run_s[resident.card.id]

    def is_overtaken(self, waiter: PendingLease) -> bool:
        """Whether there are streams, and all of them came after this one."""
        numbers = [stream.number for resident in self._making_way for stream in resident.streams]
        return bool(numbers) and min(numbers) > waiter.number

    def _due(self, waiter: PendingLease) -> tuple[float, float]:
        """When those that came before it will have ended, and how much of that is more than a guess."""
        due = known_due = self._now
        for resident in self._making_way:
            ends = [stream.granted_at for stream in resident.streams if stream.number < waiter.number]
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
