"""How much prefill a step may do: what is decoding meanwhile should not wait for it longer than a moment."""

from collections.abc import Sequence

_MAX_GAP_S = 0.25
_MIN_TOKENS = 32  # tokens; below that a chunk costs more than it saves
_INITIAL_TOKENS = 128  # tokens, while nothing has been measured
_SMOOTHING = 0.3  # of the newest measurement


class PrefillBudget:
    """Measures this machine's prefill, in tokens a second, and sizes the chunks by it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rate: float | None = None

    def allot(self, remaining: Sequence[int], *, is_decoding: bool) -> tuple[int, int]:
        """Tokens of each prompt in the next step, and how many prompts share it, first come first served.

        `remaining` are the tokens that each prompt still needs, oldest first.
        """
        budget = self._budget(is_decoding)
        together, sum_left = 0, 0
        for tokens in remaining:
            sum_left += tokens
            if together and sum_left > budget:
                break
            together += 1
        return max(1, budget // max(1, together)), max(1, together)

    def record(self, tokens: int, seconds: float) -> None:
        """Learn from a step that did this much prefill."""
        if tokens < _MIN_TOKENS // 2 or seconds <= 0:
            return  # mostly the decode step's time
        rate = tokens / seconds
        self._rate = rate if self._rate is None else (1 - _SMOOTHING) * self._rate + _SMOOTHING * rate

    def _budget(self, is_decoding: bool) -> int:
        if not is_decoding:
            return self._limit
        tokens = _INITIAL_TOKENS if self._rate is None else int(self._rate * _MAX_GAP_S)
        return min(self._limit, max(_MIN_TOKENS, tokens))
