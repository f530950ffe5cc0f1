"""Measured durations of loads and leases, and the Retry-After that follows from them. Pure."""

import math
from typing import Final

SHORTEST_S: Final = 1
LONGEST_S: Final = 120
_FIRST_GUESS_S = 2.0
_NEWEST = 0.2  # the weight of the newest figure in a mean


def retry_after(*, waiting: int, running: int, lease_s: float, load_s: float) -> int:
    """Seconds until a new request may expect its turn: a load, and the leases that end before its own begins.

    `running` leases end in parallel, each within about `lease_s`.
    """
    rounds = math.ceil((waiting + 1) / max(1, running))
    return max(SHORTEST_S, min(LONGEST_S, math.ceil(load_s + rounds * lease_s)))


class Durations:
    """Exponential moving averages, in seconds."""

    def __init__(self) -> None:
        self.lease_s = _FIRST_GUESS_S  # of any model
        self._lease_s: dict[str, float] = {}
        self._load_s: dict[str, float] = {}

    def add_lease(self, model_id: str, seconds: float) -> None:
        self.lease_s = _mean(self.lease_s, seconds)
        self._lease_s[model_id] = _mean(self._lease_s.get(model_id, seconds), seconds)

    def lease_s_of(self, model_id: str) -> float | None:
        """Seconds that leases of this model last; None while none has ended."""
        return self._lease_s.get(model_id)

    def add_load(self, model_id: str, seconds: float) -> None:
        self._load_s[model_id] = _mean(self._load_s.get(model_id, seconds), seconds)

    def known_load_s(self, model_id: str) -> float:
        """Seconds that loading this model took; 0 for one that was never loaded."""
        return self._load_s.get(model_id, 0.0)

    def load_s(self, model_id: str) -> float:
        """Seconds that loading this model takes; the mean of the others for one that was never loaded."""
        known = self._load_s.values()
        usual = sum(known) / len(known) if known else _FIRST_GUESS_S
        return self._load_s.get(model_id, usual)


def _mean(before: float, newest: float) -> float:
    return (1 - _NEWEST) * before + _NEWEST * newest
