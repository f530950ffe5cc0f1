"""The sampler of one sequence: penalties, bias, grammar mask, sampling parameters, log probabilities.

V is the size of the vocabulary and B the number of rows of the batch.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from inference.core.requests import Sampling
from inference.worker.sampling.constraint import Matcher, combined
from inference.worker.sampling.grammar import Grammar, GrammarFailure, mask
from inference.worker.sampling.kernels import Draw, SamplingParams, sample
from inference.worker.sampling.repetition import RecentTokens
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.sampling.token_rules import RuleConstraint

_XTC_SALT = 0x5851F42D4C957F2D  # its coins are others than the draws
MIN_LOGPROB = -9999.0  # OpenAI's figure for a token that cannot be sampled; JSON has no infinity


@dataclass(frozen=True)
class Logprob:
    """The log probability of a sampled token, and `top`: those of the likeliest tokens at its position.

    `rank` counts the tokens of a prompt from 1, the likeliest; it is 0 for sampled tokens.
    `failure` is set if the token only ends an answer that could not follow its grammar.
    """

    value: float
    top: tuple[tuple[int, float], ...] = ()
    failure: GrammarFailure | None = None
    rank: int = 0


@dataclass(frozen=True)
class LazyLogprob:
    """A Logprob whose arrays are not computed yet."""

    value: mx.array  # shape ()
    top_ids: mx.array | None = None  # shape (k,), likeliest first
    top_values: mx.array | None = None
    failure: GrammarFailure | None = None

    @property
    def arrays(self) -> list[mx.array]:
        return [array for array in (self.value, self.top_ids, self.top_values) if array is not None]

    def read(self) -> Logprob:
        """Wait for the arrays and convert them."""
        top: tuple[tuple[int, float], ...] = ()
        if self.top_ids is not None and self.top_values is not None:
            values = np.maximum(np.array(self.top_values), MIN_LOGPROB).tolist()
            top = tuple(zip(np.array(self.top_ids).tolist(), values, strict=True))
        return Logprob(max(float(self.value.item()), MIN_LOGPROB), top, self.failure)  # type: ignore[arg-type]  # no complex logits


class TokenSampler:
    """Samples one sequence. Used on the engine's thread only.

    Before a token is sampled, `process` changes its logits in these steps:

    1. Repetition, frequency and presence penalties (see Penalties), and DRY (see RecentTokens).
    2. The logit bias, added.
    3. The masks of the constraints and of the grammar: minus infinity for each token that is not allowed.
    4. XTC, by a coin that depends on the seed and the position.

    `prompt` and `answered` are the token ids before the next one. Penalties need them, and a sequence that
    is computed again has a part of its answer already.
    """

    def __init__(
        self,
        sampling: Sampling,
        *,
        prompt: Sequence[int] = (),
        answered: Sequence[int] = (),
        logprobs: int | None = None,
        grammar: Grammar | None = None,
        rules: RuleConstraint | None = None,
        thinking: ThinkingBudget | None = None,
        decode: Callable[[Sequence[int]], str] = lambda tokens: "",
    ) -> None:
        self.params = SamplingParams.of(sampling)
        self.logprobs = logprobs
        self._seed = secrets.randbits(63) if sampling.seed is None else sampling.seed
        self._position = len(answered)
        self._penalties = Penalties(sampling, prompt, answered) if _has_penalties(sampling) else None
        self._matcher = grammar.start(answered) if grammar else None
        # In this order: where nothing satisfies all, the later ones count.
        others = [rules.start(answered) if rules else None, self._matcher]
        self._thinker = thinking.start(answered) if thinking and thinking.is_limited else None
        self._matchers: list[Matcher] = [one for one in (*others, self._thinker) if one]
        has_order = RecentTokens.are_needed(sampling)
        self._recent = RecentTokens(sampling, [*prompt, *answered], decode) if has_order else None
        self._xtc = (sampling.xtc_probability, sampling.xtc_threshold)
        self._has_observed = False
        self._bias = sampling.logit_bias
        self._dense_bias: mx.array | None = None

    @property
    def changes_logits(self) -> bool:
        return bool(self._bias or self._penalties or self._matchers or self._recent or self._xtc[0])

    @property
    def is_constrained(self) -> bool:
        """Whether it must `observe` each token before the next one can be sampled."""
        return bool(self._matchers or self._recent)

    @property
    def has_logprob(self) -> bool:
        """Whether each token comes with a Logprob: for the client, or to report a failed grammar."""
        return self.logprobs is not None or (self._matcher is not None and self._matcher.failure is not None)

    def observe(self, token: int) -> None:
        """Advance the constraints by a token; the first one is the prompt's last, or one of `answered`."""
        if self._has_observed:
            for matcher in self._matchers:
                matcher.consume(token)
            if self._recent:
                self._recent.consume(token)
        self._has_observed = True

    def end_thinking(self, thinking: ThinkingBudget, answered: Sequence[int]) -> bool:
        """Have the reasoning end after the token that is being sampled; False if the answer is not in any.

        `answered` are the tokens before that one, and `thinking` ends at it. Call it only while it decodes.
        """
        thinker = self._thinker or thinking.start(answered)
        if not thinker.is_inside:
            return False
        if self._thinker is None:
            self._thinker = thinker
            self._matchers.append(thinker)
            self._has_observed = True  # the first token that it is to observe is the one being sampled
        elif thinking.ends_at is not None:
            thinker.end_at(thinking.ends_at)
        return True

    def next_draw(self) -> Draw:
        """The randomness of the next token; each call advances the position."""
        position, self._position = self._position, self._position + 1
        return Draw(self._seed, position)

    def process(self, token: mx.array, logits: mx.array) -> mx.array:
        """Apply the steps above: (1, V) logits to (1, V) float32; `token`, shape (1,), is the latest one."""
        logits = logits.astype(mx.float32)
        if self._penalties:
            logits = self._penalties.apply(token, logits)
        if self._recent:
            logits = self._recent.apply(logits)
        if self._bias:
            logits = logits + self._bias_over(logits.shape[-1])
        logits = mask(logits, combined(one.allowed_tokens(logits.shape[-1]) for one in self._matchers))
        return self._without_top_choices(logits) if self._xtc[0] else logits

    def _without_top_choices(self, logits: mx.array) -> mx.array:
        """XTC (https://github.com/oobabooga/text-generation-webui/pull/6335) on (1, V) logits.

        Tokens at least as likely as the threshold are left out, but for the least likely of them.
        """
        probability, threshold = self._xtc
        upper, lower = Draw(self._seed ^ _XTC_SALT, self._position).key
        if (upper << 32 | lower) >= probability * 2**64:
            return logits
        probabilities = mx.softmax(logits, axis=-1)
        is_choice = probabilities >= threshold
        least = mx.where(is_choice, probabilities, mx.array(mx.inf)).min(axis=-1, keepdims=True)
        return mx.where(is_choice & (probabilities > least), mx.array(-mx.inf, logits.dtype), logits)

    def _bias_over(self, vocabulary: int) -> mx.array:
        if self._dense_bias is None:
            ids, values = zip(*self._bias, strict=True)
            self._dense_bias = mx.zeros(vocabulary).at[mx.array(ids, dtype=mx.uint32)].add(mx.array(values))
        return self._dense_bias

    def logprob_for(self, logits: mx.array, token: mx.array) -> LazyLogprob:
        """The log probability of `token`, shape (), under `logits`, shape (V,)."""
        logprobs = logits.astype(mx.float32) - mx.logsumexp(logits.astype(mx.float32))
        failure = self._matcher.failure if self._matcher else None
        if not self.logprobs:
            return LazyLogprob(logprobs[token], failure=failure)
        best = mx.argpartition(logprobs, kth=-self.logprobs)[-self.logprobs :]
        best = best[mx.argsort(-logprobs[best])]
        return LazyLogprob(logprobs[token], best, logprobs[best], failure)


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


def _has_penalties(sampling: Sampling) -> bool:
    # With a window, RecentTokens applies the repetition penalty.
    has_window = sampling.repetition_window is not None
    repetition = 1.0 if has_window else sampling.repetition_penalty or 1.0
    return bool(sampling.presence_penalty or sampling.frequency_penalty or repetition != 1.0)


def _count(tokens: Sequence[int], vocabulary: int) -> mx.array:
    ids = mx.array(list(tokens), dtype=mx.uint32)
    return mx.zeros(vocabulary).at[ids].add(1.0) if tokens else mx.zeros(vocabulary)


def sample_rows(samplers: Sequence[TokenSampler], logits: mx.array) -> mx.array:
    """Sample one token for each row, (B, V) to (B,): one kernel call for all rows with equal parameters."""
    params = [sampler.params for sampler in samplers]
    draws = [sampler.next_draw() for sampler in samplers]
    if all(one == params[0] for one in params):
        return sample(logits, params[0], draws)
    rows_of: dict[SamplingParams, list[int]] = {}
    for row, own in enumerate(params):
        rows_of.setdefault(own, []).append(row)
    tokens = [
        sample(logits[mx.array(rows)], own, [draws[row] for row in rows]) for own, rows in rows_of.items()
    ]
    order = [row for rows in rows_of.values() for row in rows]
    return mx.concatenate(tokens)[mx.argsort(mx.array(order))]
