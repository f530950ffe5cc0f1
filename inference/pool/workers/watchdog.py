"""When a worker counts as stuck."""

_LATE_S = 8.0  # heartbeats come every second
_START_S = 120.0  # for the imports, which may come from a cold disk


class Watchdog:
    """Counts how long a worker was busy without progress, and how long it sent nothing at all.

    It counts ticks of equal length instead of reading a clock: a tick counts once however late it comes, so
    time in which the site itself stood still never counts against a worker.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._is_up = False
        self.tick_s = min(1.0, limit_s / 8)
        self._still_s = self._silent_s = 0.0
        self._steps = 0

    @property
    def limit_s(self) -> float:
        """Seconds it may be still or silent; before it is up never less than imports may take."""
        return self._limit_s if self._is_up else max(self._limit_s, _START_S)

    @property
    def is_late(self) -> bool:
        """Whether it has been still for half of the limit, or missed several heartbeats."""
        is_silent = self._is_up and self._silent_s > _LATE_S
        return is_silent or self._still_s > self.limit_s / 2

    def note_started(self) -> None:
        """Its imports are done; from now on it sends heartbeats."""
        self._is_up = True
        self.note_progress()

    def note_progress(self) -> None:
        """It did something for a request, or loaded more of the model."""
        self._still_s = self._silent_s = 0.0

    def note_heartbeat(self, steps: int) -> None:
        """A heartbeat came, with the number of steps so far."""
        self._silent_s = 0.0
        if steps != self._steps:
            self._steps = steps
            self.note_progress()

    def tick(self, *, is_busy: bool) -> bool:
        """One more `tick_s` has passed; True once the worker is stuck."""
        self._silent_s += self.tick_s
        self._still_s = self._still_s + self.tick_s if is_busy else 0.0
        return max(self._still_s, self._silent_s) > self.limit_s
