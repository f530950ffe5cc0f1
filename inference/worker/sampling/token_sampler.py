"""The sampler of one sequence: penalties, bias, grammar mask, sampling parameters, log probabilities.

V is the size of the vocabulary and B the number of rows of the batch.
"""

import secrets
from collections.abc import Callable, Sequence

import mlx.core as mx

from inference.core.requests import Sampling
from inference.worker.sampling.constraint import Matcher, combined
from inference.worker.sampling.grammar import Grammar, mask
from inference.worker.sampling.kernels import Draw, SamplingParams, sample
from inference.worker.sampling.logprobs import LazyLogprob
from inference.worker.sampling.penalties import Penalties, has_penalties
from inference.worker.sampling.repetition import RecentTokens
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.sampling.token_rules import RuleConstraint

_XTC_SALT = 0x5851F42D4C957F2D  # its coins are others than the draws


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
        lora: str = "",
    ) -> None:
        self.lora = lora  # the key of the adapter that its row is computed with
        self.params = SamplingParams.of(sampling)
        self.logprobs = logprobs
        self._seed = secrets.randbits(63) if sampling.seed is None else sampling.seed
        self._position = len(answered)
        self._penalties = Penalties(sampling, prompt, answered) if has_penalties(sampling) else None
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
