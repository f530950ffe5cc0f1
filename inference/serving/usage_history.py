"""Usage of the last hour, kept in memory: memory and tokens per second."""

import time
from collections import deque
from collections.abc import Callable

import psutil
from msgspec import Struct

from inference.core.pool_state import PoolSnapshot
from inference.serving.active_requests import STREAMS
from inference.serving.memory_breakdown import bar_of

EVERY_S = 5.0
KEPT = int(3600 / EVERY_S)


class Sample(Struct, frozen=True, kw_only=True, array_like=True):
    """One moment: unix time, bytes, and the tokens a second since the sample before."""

    at: float
    weights: int
    kv: int
    caches: int
    others: int
    free: int
    rate: float

    @property
    def held(self) -> int:
        return self.weights + self.kv + self.caches


def available() -> int:
    """Bytes of this machine's memory that can be had without swapping."""
    return int(psutil.virtual_memory().available)


class UsageHistory:
    """The pool calls it with a snapshot at every tick; it keeps a sample every few seconds."""

    def __init__(
        self,
        *,
        tokens: Callable[[], int] = lambda: STREAMS.tokens,
        gauge: Callable[[], int] = available,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._gauge = gauge
        self._clock = clock
        self._now = now
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._last = (clock(), tokens())
        self._due_at = clock()

    def __call__(self, snapshot: PoolSnapshot) -> None:
        if (now := self._clock()) >= self._due_at:
            self._due_at = now + EVERY_S
            self._samples.append(self._sample(snapshot, now))

    def since(self, at: float = 0.0) -> tuple[Sample, ...]:
        """The samples after this unix time, the oldest first; callable from any thread."""
        return tuple(sample for sample in tuple(self._samples) if sample.at > at)

    def _sample(self, snapshot: PoolSnapshot, now: float) -> Sample:
        tokens, (before, made) = self._tokens(), self._last
        self._last = now, tokens
        bar = bar_of(snapshot, self._gauge())
        return Sample(
            at=int(self._now() * 10) / 10,  # never later than now
            weights=bar.weights,
            kv=bar.kv,
            caches=bar.caches,
            others=bar.others,
            free=bar.free,
            # The final count of an answer may be a little lower than the sum of its deltas.
            rate=round(max(0, tokens - made) / max(now - before, 0.1), 1),
        )


USAGE_HISTORY = UsageHistory()
