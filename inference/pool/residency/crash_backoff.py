"""When a model that failed may be tried again. Pure: told the time, it reads no clock."""

from dataclasses import dataclass

_QUICK_S = 60.0  # a worker that lived less did not really work
_LONGEST_S = 60.0
_BREAKER_AFTER = 5  # quick deaths in a row
_BREAKER_S = 300.0
_LOAD_AGAIN_S = 2.0
_SHOWN_S = 300.0


@dataclass
class CrashBackoff:
    """What went wrong with one model lately.

    A failed load may be tried again after two seconds. A worker that dies within a minute of its load is
    loaded again after 1, 2, 4 ... seconds, and after five such deaths in a row not for five minutes: the
    breaker is open. One that lived longer starts anew.
    """

    restarts: int = 0
    reason: str = ""
    is_failed: bool = False  # the last load failed
    has_died: bool = False  # the last worker did, and none was loaded since
    _quick: int = 0
    _load_again_at: float = float("-inf")
    _start_again_at: float = float("-inf")
    _shown_until: float = float("-inf")

    def failed(self, now: float, reason: str) -> None:
        """A load failed."""
        self.reason, self.is_failed = reason, True
        self._load_again_at = now + _LOAD_AGAIN_S
        self._shown_until = now + _SHOWN_S

    def died(self, now: float, lived_s: float, reason: str) -> None:
        """A loaded worker ended by itself."""
        self.reason, self.has_died = reason, True
        self.restarts += 1
        self._quick = self._quick + 1 if lived_s < _QUICK_S else 0
        self._start_again_at = now + self._pause_s
        self._shown_until = max(now + _SHOWN_S, self._start_again_at)

    def loaded(self) -> None:
        """A load went well; deaths still count until one worker has lived long enough."""
        self.reason = ""
        self.is_failed = self.has_died = False

    def forgive(self) -> None:
        """An operator wants it tried now, whatever happened before."""
        self._quick = 0
        self._load_again_at = self._start_again_at = float("-inf")

    def is_broken(self, now: float) -> bool:
        """The breaker is open."""
        return self._quick >= _BREAKER_AFTER and now < self._start_again_at

    def may_load(self, now: float) -> bool:
        return now >= max(self._load_again_at, self._start_again_at)

    def retry_in_s(self, now: float) -> float:
        """What is left of the pause after a death."""
        return max(0.0, self._start_again_at - now)

    def is_shown(self, now: float) -> bool:
        return now < self._shown_until

    @property
    def _pause_s(self) -> float:
        if self._quick >= _BREAKER_AFTER:
            return _BREAKER_S
        return min(2.0 ** (self._quick - 1), _LONGEST_S) if self._quick else 0.0
