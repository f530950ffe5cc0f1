"""The prefill budget: how many prompt tokens a step may compute while sequences decode."""

from collections.abc import Sequence

_MAX_GAP_S = 0.25
_MAX_FIRST_GAP_S = 1.0  # while all that decodes has just begun
_MIN_TOKENS = 32  # a smaller chunk costs more than it saves
_INITIAL_TOKENS = 128  # until a step has been measured
_SMOOTHING = 0.3  # weight of the newest measurement
_MAX_PADDING = 0.25  # of the tokens that a chunk computes


class PrefillBudget:
    """Sizes prefill chunks so that decoding sequences wait for about a quarter of a second at most.

    Those that have just begun wait for up to a second. Of prompts that come together, the first ones are
    ready before the last have arrived, which would be prefilled one by one beside steps of few rows.

    The prefill speed, in tokens per second, is measured with each step (an exponential moving average). While
    nothing decodes, a chunk has `limit` tokens.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.rate: float | None = None  # tokens per second, as measured

    def allot(
        self, remaining: Sequence[int], *, is_decoding: bool, has_just_begun: bool = False
    ) -> tuple[int, int]:
        """Tokens of each prompt in the next step, and how many prompts share it, oldest first.

        `remaining` are the tokens that each prompt still needs, oldest first. The last of them is computed by
        the decode step. Prompts that share a chunk are padded to one length. `has_just_begun` is True if all
        sequences that decode have.
        """
        gap_s = _MAX_FIRST_GAP_S if has_just_begun else _MAX_GAP_S
        budget = self._budget(gap_s) if is_decoding else self._limit
        together, sum_left = 0, 0
        for tokens in remaining:
            sum_left += tokens
            if together and sum_left > budget:
                break
            together += 1
        prefilled = [tokens - 1 for tokens in remaining[:together] if tokens > 1]
        return _chunk(prefilled, budget // max(1, len(prefilled))), max(1, together)

    def record(self, tokens: int, seconds: float) -> None:
        """Update the speed with a step that prefilled so many tokens in so many seconds."""
        if tokens < _MIN_TOKENS // 2 or seconds <= 0:
            return  # mostly the time of the decode step
        rate = tokens / seconds
        self.rate = rate if self.rate is None else (1 - _SMOOTHING) * self.rate + _SMOOTHING * rate

    def _budget(self, gap_s: float) -> int:
        """Tokens that are prefilled in so many seconds."""
        tokens = _INITIAL_TOKENS if self.rate is None else int(self.rate * gap_s)
        return min(self._limit, max(_MIN_TOKENS, tokens))


def _chunk(remaining: Sequence[int], limit: int) -> int:
    """The longest chunk of at most `limit` tokens of which not too much is padding; at least one token."""
    for chunk in sorted({min(tokens, limit) for tokens in remaining}, reverse=True):
        if sum(min(tokens, chunk) for tokens in remaining) >= (1 - _MAX_PADDING) * chunk * len(remaining):
            return max(1, chunk)
    return max(1, limit)
