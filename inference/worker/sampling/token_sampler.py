"""How one sequence chooses its tokens: its penalties, shape and seed, and the log probabilities it wants."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from inference.core.requests import Sampling
from inference.worker.sampling.grammar import Grammar, GrammarFailure, mask
from inference.worker.sampling.kernels import Draw, SamplingParams, sample

_NEVER = -9999.0  # OpenAI's own for a token that cannot come: JSON has no infinity


@dataclass(frozen=True)
class Logprob:
    """The log probability of a sampled token, and those of the likeliest ones in its place.

    `failure` where the token is only the end of an answer that could not follow its grammar.
    """

    value: float
    top: tuple[tuple[int, float], ...] = ()
    failure: GrammarFailure | None = None


@dataclass(frozen=True)
class LazyLogprob:
    """The same before it is computed."""

    value: mx.array  # shape ()
    top_ids: mx.array | None = None  # shape (k,), likeliest first
    top_values: mx.array | None = None
    failure: GrammarFailure | None = None

    @property
    def arrays(self) -> list[mx.array]:
        return [array for array in (self.value, self.top_ids, self.top_values) if array is not None]

    def read(self) -> Logprob:
        top: tuple[tuple[int, float], ...] = ()
        if self.top_ids is not None and self.top_values is not None:
            values = np.maximum(np.array(self.top_values), _NEVER).tolist()
            top = tuple(zip(np.array(self.top_ids).tolist(), values, strict=True))
        return Logprob(max(float(self.value.item()), _NEVER), top, self.failure)  # type: ignore[arg-type]  # no complex logits


class TokenSampler:
    """One sequence's choices. Used on the engine's thread only.

    `prompt` and `answered` are the token ids before the next one: penalties need them, and a sequence
    that is computed again begins with a part of its answer already there.
    """

    def __init__(
        self,
        sampling: Sampling,
        *,
        prompt: Sequence[int] = (),
        answered: Sequence[int] = (),
        logprobs: int | None = None,
        grammar: Grammar | None = None,
    ) -> None:
        self.params = SamplingParams.of(sampling)
        self.logprobs = logprobs
        self._seed = secrets.randbits(63) if sampling.seed is None else sampling.seed
        self._position = len(answered)
        self._penalties = Penalties(sampling, prompt, answered) if _has_penalties(sampling) else None
        self._matcher = grammar.start(answered) if grammar else None
        self._has_begun = False
        self._bias = sampling.logit_bias
        self._dense_bias: mx.array | None = None

    @property
    def changes_logits(self) -> bool:
        return bool(self._bias or self._penalties or self._matcher)

    @property
    def is_constrained(self) -> bool:
        """Whether it has to `observe` each token before it can choose the next one."""
        return self._matcher is not None

    @property
    def has_logprob(self) -> bool:
        """Whether each token comes with a Logprob: for the client, or to report a broken grammar."""
        return self.logprobs is not None or (self._matcher is not None and self._matcher.failure is not None)

    def observe(self, token: int) -> None:
        """The token before the next one; the first is the prompt's last, or one of those answered before."""
        if self._matcher and self._has_begun:
            self._matcher.consume(token)
        self._has_begun = True

    def next_draw(self) -> Draw:
        position, self._position = self._position, self._position + 1
        return Draw(self._seed, position)

    def process(self, token: mx.array, logits: mx.array) -> mx.array:
        """The logits, shape (1, vocabulary), penalised, biased and masked; `token`, shape (1,), came last."""
        logits = logits.astype(mx.float32)
        if self._penalties:
            logits = self._penalties.apply(token, logits)
        if self._bias:
            logits = logits + self._bias_over(logits.shape[-1])
        return mask(logits, self._matcher.allowed_tokens(logits.shape[-1])) if self._matcher else logits

    def _bias_over(self, vocabulary: int) -> mx.array:
        if self._dense_bias is None:
            ids, values = zip(*self._bias, strict=True)
            self._dense_bias = mx.zeros(vocabulary).at[mx.array(ids, dtype=mx.uint32)].add(mx.array(values))
        return self._dense_bias

    def logprob_for(self, logits: mx.array, token: mx.array) -> LazyLogprob:
        """The log probability of `token`, shape (), under `logits`, shape (vocabulary,)."""
        logprobs = logits.astype(mx.float32) - mx.logsumexp(logits.astype(mx.float32))
        broken = self._matcher.failure if self._matcher else None
        if not self.logprobs:
            return LazyLogprob(logprobs[token], failure=broken)
        best = mx.argpartition(logprobs, kth=-self.logprobs)[-self.logprobs :]
        best = best[mx.argsort(-logprobs[best])]
        return LazyLogprob(logprobs[token], best, logprobs[best], broken)


class Penalties:
    """Counts of the tokens so far, as vectors over the vocabulary that grow without reading a token back."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int], answered: Sequence[int]) -> None:
        self._presence = sampling.presence_penalty
        self._frequency = sampling.frequency_penalty
        self._repetition = sampling.repetition_penalty or 1.0
        self._prompt = prompt
        self._answered = answered
        self._in_prompt = mx.array(0.0)
        self._counts: mx.array | None = None

    def apply(self, token: mx.array, logits: mx.array) -> mx.array:
        if self._counts is None:  # the first `token` is the prompt's last, or one of those answered before
            self._counts = _count(self._answered, logits.shape[-1])
            self._in_prompt = _count(self._prompt, logits.shape[-1])
        else:
            self._counts = self._counts.at[token].add(1.0)
        if self._repetition != 1.0:
            weaker = mx.where(logits > 0, logits / self._repetition, logits * self._repetition)
            logits = mx.where(self._counts + self._in_prompt > 0, weaker, logits)
        return logits - self._frequency * self._counts - self._presence * (self._counts > 0)


def _has_penalties(sampling: Sampling) -> bool:
    repetition = sampling.repetition_penalty or 1.0
    return bool(sampling.presence_penalty or sampling.frequency_penalty or repetition != 1.0)


def _count(tokens: Sequence[int], vocabulary: int) -> mx.array:
    ids = mx.array(list(tokens), dtype=mx.uint32)
    return mx.zeros(vocabulary).at[ids].add(1.0) if tokens else mx.zeros(vocabulary)


def sample_rows(samplers: Sequence[TokenSampler], logits: mx.array) -> mx.array:
    """One token for each row, shape (rows,): one call for all rows of one shape."""
    shapes = [sampler.params for sampler in samplers]
    draws = [sampler.next_draw() for sampler in samplers]
    if all(shape == shapes[0] for shape in shapes):
        return sample(logits, shapes[0], draws)
    rows_of: dict[SamplingParams, list[int]] = {}
    for row, shape in enumerate(shapes):
        rows_of.setdefault(shape, []).append(row)
    tokens = [
        sample(logits[mx.array(rows)], shape, [draws[row] for row in rows]) for shape, rows in rows_of.items()
    ]
    order = [row for rows in rows_of.values() for row in rows]
    return mx.concatenate(tokens)[mx.argsort(mx.array(order))]
