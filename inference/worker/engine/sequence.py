"""Sequences and the outputs of a step: what passes between the prompt, engine and text threads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from inference.core.events import FinishReason
from inference.core.requests import Sampling
from inference.worker.embedding.batch import Vectors
from inference.worker.sampling.grammar import Grammar
from inference.worker.sampling.logprobs import Logprob
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.speculation.draft_counts import DraftCounts
from inference.worker.vision.places import Pictures


def _no_text(tokens: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """One prompt to be continued, already checked against the loaded model."""

    id: int
    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    stop_ids: frozenset[int]
    owner: str = ""  # whose stored prefixes it uses and adds to
    logprobs: int | None = None  # None: none; else how many alternatives for each token
    scores_prompt: bool = False  # whether the prompt's tokens get log probabilities, too
    prompt_alternatives: int = 0  # how many with each of these; at least as many as `logprobs`
    grammar: Grammar | None = None  # what the answer must follow
    rules: RuleConstraint | None = None  # limits on its tokens
    thinking: ThinkingBudget | None = None  # the end of its reasoning
    decode: Callable[[Any], str] = _no_text  # for penalties that need the text of tokens
    pictures: Pictures | None = None  # of its prompt
    answered: tuple[int, ...] = ()  # tokens of its answer so far, if it is computed again
    lora: str = ""  # the key of the adapter that it is computed with
    speculates: bool = False  # whether tokens may be drafted for it
    prediction: tuple[int, ...] = ()  # what its client expects as the answer
    checkpoints: tuple[int, ...] = ()  # positions of its prompt at which whole caches are stored
    request: int = 0  # its request; requests take turns in the sequential lane
    tokens_left: Callable[[], int] | None = None  # of those granted to its answer; None: there is no limit

    @property
    def known(self) -> list[int]:
        """All tokens before the next one."""
        return [*self.prompt, *self.answered]

    def keyed(self, tokens: Iterable[int]) -> list[int]:
        """Tokens that it begins with, as the prefix cache knows them: those of pictures have keys."""
        known = list(tokens)
        return self.pictures.keyed(known).tolist() if self.pictures else known

    def with_thinking_ended(self) -> "Sequence | None":
        """The same with its reasoning ended where it is; None if its answer is not in any."""
        is_inside = self.answered and self.thinking and self.thinking.start(self.answered).is_inside
        if not (is_inside and self.thinking):
            return None
        return replace(self, thinking=self.thinking.ending_at(len(self.answered)))


class Sampled(NamedTuple):
    """One new token, with a finish reason if it is the sequence's last."""

    id: int
    token: int
    finish: FinishReason | None
    logprob: Logprob | None = None
    draft: DraftCounts | None = None  # with the first token of a step that verified a draft


@dataclass(frozen=True)
class Prefilled:
    """How many tokens of a prompt are in the KV cache, and how many of them came from the prefix cache."""

    id: int
    done: int
    total: int
    cached: int = 0


@dataclass(frozen=True)
class Scored:
    """The log probabilities of a prompt's tokens, from its second one on."""

    id: int
    tokens: tuple[int, ...]
    logprobs: tuple[Logprob, ...]


@dataclass(frozen=True)
class Suspended:
    """A sequence whose request was paused, with all of its sequences."""

    id: int


@dataclass(frozen=True)
class SequenceCut:
    """A sequence whose answer ends where it is, because the pool has no memory for more."""

    id: int


@dataclass(frozen=True)
class Lost:
    """A sequence that cannot be computed: it fails alone, too."""

    id: int


Output = Sampled | Prefilled | Scored | Suspended | SequenceCut | Vectors
