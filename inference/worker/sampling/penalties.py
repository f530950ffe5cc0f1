"""Penalties on the tokens so far: repetition, frequency and presence."""

from collections.abc import Sequence

import mlx.core as mx

from inference.core.requests import Sampling


class Penalties:
    """Penalties on the tokens so far, from (V,) counts that are updated without reading a token back.

    Repetition divides positive logits and multiplies negative ones, for tokens of the prompt and the answer
    (CTRL, https://arxiv.org/abs/1909.05858). Frequency and presence are OpenAI's, for tokens of the answer.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int], answered: Sequence[int]) -> None:
        self._presence = sampling.presence_penalty
        self._frequency = sampling.frequency_penalty
        has_window = sampling.repetition_window is not None  # then RecentTokens applies it
        self._repetition = 1.0 if has_window else sampling.repetition_penalty or 1.0
        self._prompt = prompt
        self._answered = answered
        self._in_prompt = mx.array(0.0)
        self._counts: mx.array | None = None

    def apply(self, token: mx.array, logits: mx.array) -> mx.array:
        """Count `token`, shape (1,), and penalise (1, V) logits."""
        if self._counts is None:  # the first `token` is in the prompt or in `answered`
            self._counts = _count(self._answered, logits.shape[-1])
            self._in_prompt = _count(self._prompt, logits.shape[-1])
        else:
            self._counts = self._counts.at[token].add(1.0)
        if self._repetition != 1.0:
            weaker = mx.where(logits > 0, logits / self._repetition, logits * self._repetition)
            logits = mx.where(self._counts + self._in_prompt > 0, weaker, logits)
        return logits - self._frequency * self._counts - self._presence * (self._counts > 0)


def has_penalties(sampling: Sampling) -> bool:
    """Whether any of these penalties changes a logit."""
    # With a window, RecentTokens applies the repetition penalty.
    has_window = sampling.repetition_window is not None
    repetition = 1.0 if has_window else sampling.repetition_penalty or 1.0
    return bool(sampling.presence_penalty or sampling.frequency_penalty or repetition != 1.0)


def _count(tokens: Sequence[int], vocabulary: int) -> mx.array:
    ids = mx.array(list(tokens), dtype=mx.uint32)
    return mx.zeros(vocabulary).at[ids].add(1.0) if tokens else mx.zeros(vocabulary)
