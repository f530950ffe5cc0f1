"""The sampler of one sequence: penalties, bias, grammar mask, sampling parameters, log probabilities.

V is the size of the vocabulary and B the number of rows of the batch.
"""

import copy
import secrets
from collections.abc import Callable, Sequence

import mlx.core as mx

from inference.core.requests import Sampling
from inference.worker.sampling.constraint import Matcher, TokenMask, combined
from inference.worker.sampling.grammar import Grammar, GrammarFailure
from inference.worker.sampling.kernels import Draw, SamplingParams
from inference.worker.sampling.logprobs import RowLogprob, logprob_rows
from inference.worker.sampling.penalties import Penalties, has_penalties
from inference.worker.sampling.repetition import RecentTokens
from inference.worker.sampling.row_samplers import RowSamplers
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.vision.rows import PictureRow

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
        pictures: PictureRow | None = None,
    ) -> None:
        self.lora = lora  # the key of the adapter that its row is computed with
        self.pictures = pictures  # that its row's prompt is computed with
        self.params = SamplingParams.of(sampling)
        self.logprobs = logprobs
        self.bias = sampling.logit_bias
        self.penalties = Penalties(sampling, prompt, answered) if has_penalties(sampling) else None
        has_order = RecentTokens.are_needed(sampling)
        self.recent = RecentTokens(sampling, [*prompt, *answered], decode) if has_order else None
        self.xtc_threshold = sampling.xtc_threshold if sampling.xtc_probability else None  # None: no XTC
        self._xtc_probability = sampling.xtc_probability
        self._seed = secrets.randbits(63) if sampling.seed is None else sampling.seed
        self._position = len(answered)
        self._matcher = grammar.start(answered) if grammar else None
        # In this order: where nothing satisfies all, the later ones count.
        others = [rules.start(answered) if rules else None, self._matcher]
        self._thinker = thinking.start(answered) if thinking and thinking.is_limited else None
        self._matchers: list[Matcher] = [one for one in (*others, self._thinker) if one]
        # Whether it must `observe` each token before the next one can be sampled; each step looks at it.
        self.is_constrained = bool(self._matchers or self.recent)
        self._has_observed = False
        self._allowed: TokenMask | None = None  # what the constraints allowed at the latest position

    @property
    def changes_logits(self) -> bool:
        return bool(self.bias or self.penalties or self.is_constrained or self.xtc_threshold is not None)

    @property
    def has_logprob(self) -> bool:
        """Whether each token comes with a Logprob: for the client, or to report a failed grammar."""
        return self.logprobs is not None or self.failure is not None

    @property
    def failure(self) -> GrammarFailure | None:
        """Why its answer cannot follow its grammar any further."""
        return self._matcher.failure if self._matcher else None

    def observe(self, token: int) -> None:
        """Advance the constraints by a token; the first one is the prompt's last, or one of `answered`."""
        if self._has_observed:
            for matcher in self._matchers:
                matcher.consume(token)
            if self.recent:
                self.recent.consume(token)
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
            self.is_constrained = True
            self._has_observed = True  # the first token that it is to observe is the one being sampled
        elif thinking.ends_at is not None:
            thinker.end_at(thinking.ends_at)
        return True

    def next_draw(self) -> Draw:
        """The randomness of the next token; each call advances the position."""
        position, self._position = self._position, self._position + 1
        return Draw(self._seed, position)

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        """What all of its constraints allow, shape (V,); None allows all tokens."""
        if self._matchers:
            self._allowed = combined(one.allowed_tokens(vocabulary) for one in self._matchers)
        return self._allowed

    def draws_ahead(self, count: int) -> list[Draw]:
        """The randomness of the next tokens; the position stays."""
        return [Draw(self._seed, self._position + ahead) for ahead in range(count)]

    def advance(self, tokens: int) -> None:
        """Advance the position by tokens that were drawn ahead."""
        self._position += tokens

    def fork(self) -> "TokenSampler":
        """A sampler in the same state. What happens to one of the two does not change the other."""
        other = copy.copy(self)
        forks = {id(matcher): matcher.fork() for matcher in self._matchers}
        other._matchers = list(forks.values())
        # The named ones are among them.
        other._matcher = forks.get(id(self._matcher))  # type: ignore[assignment]
        other._thinker = forks.get(id(self._thinker))  # type: ignore[assignment]
        other.penalties = self.penalties.fork() if self.penalties else None
        other.recent = self.recent.fork() if self.recent else None
        return other

    def take_over(self, fork: "TokenSampler") -> None:
        """Take over the state of a fork, which is not to be used any more."""
        self.__dict__.update(fork.__dict__)

    def allows(self, token: int) -> bool:
        """Whether the constraints allowed this token at the latest position."""
        return self._allowed is None or (token < len(self._allowed) and bool(self._allowed[token]))

    @property
    def leaves_top_choices_out(self) -> bool:
        """XTC's coin for the next token."""
        if self.xtc_threshold is None:
            return False
        upper, lower = Draw(self._seed ^ _XTC_SALT, self._position).key
        return (upper << 32 | lower) < self._xtc_probability * 2**64

    def process(self, token: mx.array, logits: mx.array) -> mx.array:
        """Apply the steps above: (1, V) logits to (1, V) float32; `token`, shape (1,), is the latest one."""
        return RowSamplers([self]).process(token, logits.astype(mx.float32))

    def logprob_for(self, logits: mx.array, token: mx.array) -> RowLogprob:
        """The log probability of `token`, shape (), under `logits`, shape (V,)."""
        (rows,) = logprob_rows(logits[None], token[None], [self.logprobs or 0])
        return RowLogprob(rows, 0, self.failure)


def sample_rows(samplers: Sequence[TokenSampler], logits: mx.array) -> mx.array:
    """Sample one token for each row, (B, V) to (B,)."""
    return RowSamplers(samplers).sample(logits)
