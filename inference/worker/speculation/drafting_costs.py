"""What a draft of the draft model costs, measured in the drafts themselves."""

from collections import deque
from statistics import median

_SAMPLES = 9  # of one number of rows: their median is its cost
_DEFAULT_SHARE = 0.15  # of a plain step for each drafted token, before anything is measured


class DraftingCosts:
    """Seconds of a drafted token of every row, by the number of rows."""

    def __init__(self) -> None:
        self._samples: dict[int, deque[float]] = {}

    def record(self, rows: int, count: int, seconds: float) -> None:
        """Count a draft of `count` tokens for each of so many rows."""
        self._samples.setdefault(rows, deque(maxlen=_SAMPLES)).append(seconds / count)

    def seconds(self, rows: int, count: int, plain: float) -> float:
        """What a draft will take; `plain` are the seconds of a plain step."""
        samples = self._samples.get(rows) or next(iter(self._samples.values()), None)
        return count * (median(samples) if samples else _DEFAULT_SHARE * plain)
