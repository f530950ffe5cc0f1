"""Penalties that look at the latest tokens: DRY, and the repetition penalty within a window."""

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache

import mlx.core as mx
import numpy as np

from inference.core.requests import Sampling

_LONGEST_MATCH = 50  # tokens of a repetition that are compared, as in llama.cpp
_LARGEST_PENALTY = 1e6


class RecentTokens:
    """The tokens of prompt and answer so far, and the penalties that depend on their order.

    https://github.com/oobabooga/text-generation-webui/pull/5677 describes DRY.
    """

    def __init__(
        self, sampling: Sampling, tokens: Sequence[int], decode: Callable[[Sequence[int]], str]
    ) -> None:
        self._sampling = sampling
        self._tokens = list(tokens)
        self._decode = lru_cache(maxsize=4096)(lambda token: decode([token]))

    @staticmethod
    def are_needed(sampling: Sampling) -> bool:
        repetition = sampling.repetition_penalty or 1.0
        has_window = sampling.repetition_window is not None and repetition != 1.0
        return bool(sampling.dry_multiplier) or has_window

    def consume(self, token: int) -> None:
        self._tokens.append(token)

    def fork(self) -> "RecentTokens":
        """The same tokens, to be continued independently."""
        other = copy.copy(self)
        other._tokens = list(self._tokens)
        return other

    def apply(self, logits: mx.array) -> mx.array:
        """Penalise (1, V) logits."""
        if self._sampling.repetition_window is not None:
            logits = self._weaken(logits, self._sampling.repetition_window)
        penalties = self._dry_penalties() if self._sampling.dry_multiplier else {}
        if not penalties:
            return logits
        ids = mx.array(list(penalties), dtype=mx.uint32)
        values = mx.array(list(penalties.values()), dtype=logits.dtype)
        return logits - mx.zeros(logits.shape[-1], logits.dtype).at[ids].add(values)

    def _weaken(self, logits: mx.array, window: int) -> mx.array:
        penalty = self._sampling.repetition_penalty or 1.0
        recent = (
            sorted({token for token in self._tokens[-window:] if token < logits.shape[-1]}) if window else []
        )
        if penalty == 1.0 or not recent:
            return logits
        ids = mx.array(recent, dtype=mx.uint32)
        found = logits[:, ids]
        logits[:, ids] = mx.where(found > 0, found / penalty, found * penalty)
        return logits

    def _dry_penalties(self) -> dict[int, float]:
        """For each token that would go on with a repetition: what is taken off its logit."""
        sampling, window = self._sampling, self._sampling.dry_window
        tokens = self._tokens if window is None else self._tokens[-window:] if window else []
        if len(tokens) < 2 or self._is_breaker(tokens[-1]):
            return {}
        known = np.array(tokens)
        longest: dict[int, int] = {}
        for place in np.flatnonzero(known[:-1] == known[-1]).tolist():
            length = self._matched(tokens, place)
            following = tokens[place + 1]
            if length >= sampling.dry_allowed_length and not self._is_breaker(following):
                longest[following] = max(longest.get(following, 0), length)
        return {
            token: min(
                sampling.dry_multiplier * sampling.dry_base ** (length - sampling.dry_allowed_length),
                _LARGEST_PENALTY,
            )
            for token, length in longest.items()
        }

    def _matched(self, tokens: Sequence[int], place: int) -> int:
        """How many tokens up to `place` are the same as the latest ones."""
        length = 0
        while length <= min(place, _LONGEST_MATCH):
            token = tokens[place - length]
            if token != tokens[len(tokens) - 1 - length] or self._is_breaker(token):
                break
            length += 1
        return length

    def _is_breaker(self, token: int) -> bool:
        text = self._decode(token)
        return any(breaker in text for breaker in self._sampling.dry_breakers if breaker)
