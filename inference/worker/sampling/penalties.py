"""Penalties on the tokens so far: repetition, frequency and presence."""

import copy
from collections.abc import Sequence

import mlx.core as mx

from inference.core.requests import Sampling
from inference.worker.sampling.constant import column, constant


class Penalties:
    """Penalties on the tokens so far of one row.

    Repetition divides positive logits and multiplies negative ones, for tokens of the prompt and the answer
    (CTRL, https://arxiv.org/abs/1909.05858). Frequency and presence are OpenAI's, for tokens of the answer.
    The counts of the tokens are in the PenaltyRows that the row was in last.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int], answered: Sequence[int]) -> None:
        self.presence = sampling.presence_penalty
        self.frequency = sampling.frequency_penalty
        has_window = sampling.repetition_window is not None  # then RecentTokens applies it
        self.repetition = 1.0 if has_window else sampling.repetition_penalty or 1.0
        self._prompt = prompt
        self._answered = answered
        self._rows: PenaltyRows | None = None
        self._place = 0

    def apply(self, token: mx.array, logits: mx.array) -> mx.array:
        """Count `token`, shape (1,), and penalise (1, V) logits."""
        rows = self._rows
        if rows is None or not rows.are([self]):
            rows = PenaltyRows([self], logits.shape[-1])
        return rows.apply(token, logits)

    def fork(self) -> "Penalties":
        """The same counts, to be continued independently."""
        other = copy.copy(self)
        other._rows = copy.copy(self._rows)  # its arrays are replaced, never written to
        return other

    @property
    def has_begun(self) -> bool:
        """Whether the next token is to be counted: the first one is in the prompt or in `answered`."""
        return self._rows is not None

    def is_in(self, rows: "PenaltyRows", place: int) -> bool:
        return self._rows is rows and self._place == place

    def counts(self, vocabulary: int) -> mx.array:
        """How often each token is in the answer, shape (V,)."""
        return self._rows.counts[self._place] if self._rows else _count(self._answered, vocabulary)

    def prompt_counts(self, vocabulary: int) -> mx.array:
        """How often each token is in the prompt, shape (V,)."""
        known = self._rows.prompt_counts if self._rows else None
        return _count(self._prompt, vocabulary) if known is None else known[self._place]

    def move_to(self, rows: "PenaltyRows", place: int) -> None:
        self._rows, self._place = rows, place


class PenaltyRows:
    """The Penalties of P rows, applied together. The (P, V) counts are updated without reading a token back.

    Made whenever the rows change, from the counts that each row has.
    """

    def __init__(self, rows: Sequence[Penalties], vocabulary: int) -> None:
        has_repetition = any(row.repetition != 1.0 for row in rows)
        counts = mx.stack([row.counts(vocabulary) for row in rows])
        in_prompt = mx.stack([row.prompt_counts(vocabulary) for row in rows]) if has_repetition else None
        self.counts = counts
        self.prompt_counts = in_prompt
        self._presence = column([row.presence for row in rows], vocabulary, neutral=0.0)
        self._frequency = column([row.frequency for row in rows], vocabulary, neutral=0.0)
        self._repetition = column([row.repetition for row in rows], vocabulary, neutral=1.0)
        self._places = mx.arange(len(rows), dtype=mx.uint32)
        self._added = mx.array([float(row.has_begun) for row in rows])
        for place, row in enumerate(rows):
            row.move_to(self, place)

    def are(self, rows: Sequence[Penalties]) -> bool:
        """Whether these are its rows, none of which has been counted elsewhere since."""
        return self.counts.shape[0] == len(rows) and all(
            row.is_in(self, place) for place, row in enumerate(rows)
        )

    def apply(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """Count `tokens`, shape (P,), and penalise (P, V) logits."""
        self.counts = self.counts.at[self._places, tokens].add(self._added)
        self._added = constant(1.0, tokens.shape)
        if self._repetition is not None and self.prompt_counts is not None:
            zero = constant(0.0, logits.shape)
            weaker = mx.where(logits > zero, logits / self._repetition, logits * self._repetition)
            logits = mx.where(self.counts + self.prompt_counts > zero, weaker, logits)
        if self._frequency is not None:
            logits = logits - self._frequency * self.counts
        if self._presence is None:
            return logits
        return logits - self._presence * mx.minimum(self.counts, constant(1.0, logits.shape))


def has_penalties(sampling: Sampling) -> bool:
    """Whether any of these penalties changes a logit."""
    # With a window, RecentTokens applies the repetition penalty.
    has_window = sampling.repetition_window is not None
    repetition = 1.0 if has_window else sampling.repetition_penalty or 1.0
    return bool(sampling.presence_penalty or sampling.frequency_penalty or repetition != 1.0)


def _count(tokens: Sequence[int], vocabulary: int) -> mx.array:
    ids = mx.array(list(tokens), dtype=mx.uint32)
    return mx.zeros(vocabulary).at[ids].add(1.0) if tokens else mx.zeros(vocabulary)
