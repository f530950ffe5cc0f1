"""What a step costs on this machine, measured in the steps themselves."""

from collections import deque
from statistics import median

_SAMPLES = 9  # of one shape: their median is its cost
_STALE_STEPS = 1024  # older samples count no longer
_DEFAULT_SLOPE = 0.06  # of a plain step for each further token of each row, before anything is measured
_LEAST_PLAIN = 3  # plain steps that are measured first
_ALLOWED_LOSS = 0.01  # of the time of all steps that speculation may lose before it pauses
_FREE_LOSS = 4  # plain steps that it may lose besides, once


class StepCosts:
    """Seconds of a step by its number of rows and its width: the tokens of each row, 1 in a plain step."""

    def __init__(self) -> None:
        self._samples: dict[tuple[int, int], deque[tuple[int, float]]] = {}
        self._slopes: deque[float] = deque(maxlen=_SAMPLES)
        self._steps = 0
        self._seconds = 0.0
        self._last_plain = 0.0  # seconds of the latest plain step
        self._gained = 0.0  # seconds that verified steps have saved; negative if they have lost some

    def record(self, rows: int, width: int, seconds: float, tokens: int, drafting_s: float = 0.0) -> None:
        """Count a step that took so long and made so many tokens, after its drafts had taken `drafting_s`."""
        self._steps += 1
        self._seconds += seconds + drafting_s
        samples = self._samples.setdefault((rows, width), deque(maxlen=_SAMPLES))
        samples.append((self._steps, seconds))
        if width == 1:
            self._last_plain = seconds
            return
        if (plain := self.plain(rows)) is None:
            return
        self._slopes.append((seconds / plain - 1) / (rows * (width - 1)))
        saved = plain * tokens / rows - seconds - drafting_s
        self._gained = min(self._gained + saved, _ALLOWED_LOSS * self._seconds)

    @property
    def may_speculate(self) -> bool:
        """False while speculation has cost more than it may."""
        return self._gained >= -(_ALLOWED_LOSS * self._seconds + _FREE_LOSS * self._last_plain)

    def plain(self, rows: int) -> float | None:
        """Seconds of a plain step; None before it has been measured."""
        samples = self._samples.get((rows, 1), ())
        return median(seconds for _, seconds in samples) if len(samples) >= _LEAST_PLAIN else None

    def verified(self, rows: int, width: int, plain: float) -> float:
        """Seconds of a step of this width, measured or estimated from other widths."""
        samples = self._samples.get((rows, width), ())
        recent = [seconds for step, seconds in samples if self._steps - step <= _STALE_STEPS]
        if recent:
            return median(recent)
        slope = median(self._slopes) if self._slopes else _DEFAULT_SLOPE
        return plain * (1 + max(slope, 0.0) * rows * (width - 1))
