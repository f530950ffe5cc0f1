"""How long the answers of each model have been, and so how many tokens a new one is given at first. Pure."""

from collections import deque
from typing import Final

UNKNOWN: Final = 512  # tokens of the first answers of a model
_KEPT = 128  # answers of one model
_FEWEST = 8  # answers from which anything follows
_STEP = 64  # tokens; a length is rounded up to a multiple of it


class AnswerLengths:
    """The latest lengths by model, in tokens."""

    def __init__(self) -> None:
        self._lengths: dict[str, deque[int]] = {}

    def add(self, model_id: str, tokens: int) -> None:
        """Count an answer that has ended by itself, or at its limit."""
        self._lengths.setdefault(model_id, deque(maxlen=_KEPT)).append(tokens)

    def median(self, model_id: str) -> int:
        """Tokens that suffice for half of the answers."""
        return self._at(model_id, 0.5)

    def most(self, model_id: str) -> int:
        """Tokens that suffice for 95 % of the answers."""
        return self._at(model_id, 0.95)

    def _at(self, model_id: str, share: float) -> int:
        lengths = sorted(self._lengths.get(model_id, ()))
        if len(lengths) < _FEWEST:
            return UNKNOWN
        length = lengths[min(len(lengths) - 1, int(share * len(lengths)))]
        return max(1, -(-length // _STEP)) * _STEP
