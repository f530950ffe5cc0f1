"""When a model that failed may be loaded again. Pure: every method takes the time, none reads a clock."""

from dataclasses import dataclass

_QUICK_S = 60.0  # a worker that lived for less counts as a quick death
_LONGEST_S = 60.0
_BREAKER_AFTER = 5  # quick deaths in a row
_BREAKER_S = 300.0
_LOAD_AGAIN_S = 2.0
_SHOWN_S = 300.0


@dataclass
class CrashBackoff:
    """The recent failures of one model.

    A failed load may be tried again after two seconds. A worker that dies within a minute of its load is
    loaded again after 1, 2, 4 ... seconds, and after five such deaths in a row not for five minutes: the
    breaker is open. The count starts again after a worker that lived longer.
    """

    restarts: int = 0
    reason: str = ""
    is_failed: bool = False  # the last load failed
    has_died: bool = False  # the last worker did, and none was loaded since
    _quick_deaths: int = 0
    _load_again_at: float = float("-inf")
    _start_again_at: float = float("-inf")
    _shown_until: float = float("-inf")

    def note_failed_load(self, now: float, reason: str) -> None:
        """A load failed."""
        self.reason, self.is_failed = reason, True
        self._load_again_at = now + _LOAD_AGAIN_S
        self._shown_until = now + _SHOWN_S

    def note_death(self, now: float, lived_s: float, reason: str) -> None:
        """A loaded worker ended by itself."""
        self.reason, self.has_died = reason, True
        self.restarts += 1
        self._quick_deaths = self._quick_deaths + 1 if lived_s < _QUICK_S else 0
        self._start_again_at = now + self._pause_s
        self._shown_until = max(now + _SHOWN_S, self._start_again_at)

    def note_load(self) -> None:
        """A load succeeded; deaths still count until one worker has lived long enough."""
        self.reason = ""
        self.is_failed = self.has_died = False

    def reset(self) -> None:
        """Allow a load at once: an operator asked for one."""
        self._quick_deaths = 0
        self._load_again_at = self._start_again_at = float("-inf")

    def is_breaker_open(self, now: float) -> bool:
        """Whether the model died so often in a row that loads are refused."""
        return self._quick_deaths >= _BREAKER_AFTER and now < self._start_again_at

    def may_load(self, now: float) -> bool:
        """Whether no pause is in the way of another load."""
        return now >= max(self._load_again_at, self._start_again_at)

    def retry_in_s(self, now: float) -> float:
        """Seconds that are left of the pause after a death."""
        return max(0.0, self._start_again_at - now)

    def is_shown(self, now: float) -> bool:
        """Whether the failure is recent enough to be shown to operators."""
        return now < self._shown_until

    @property
    def _pause_s(self) -> float:
        if self._quick_deaths >= _BREAKER_AFTER:
            return _BREAKER_S
        return min(2.0 ** (self._quick_deaths - 1), _LONGEST_S) if self._quick_deaths else 0.0


class CrashBackoffs:
    """The back-off of each model that has failed since the site started."""

    def __init__(self) -> None:
        self._by_model: dict[str, CrashBackoff] = {}

    def find(self, model_id: str) -> CrashBackoff | None:
        return self._by_model.get(model_id)

    def of(self, model_id: str) -> CrashBackoff:
        """The model's back-off, created where it has none."""
        return self._by_model.setdefault(model_id, CrashBackoff())

    def copy(self) -> dict[str, CrashBackoff]:
        """All of them by model; callable from any thread."""
        return dict(self._by_model)
