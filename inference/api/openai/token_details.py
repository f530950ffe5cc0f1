"""The token ids and the prompt's log probabilities of one answer, as vLLM and llama.cpp give them."""

from collections import defaultdict
from typing import Any

from inference.api.openai.schemas.generation import Extra
from inference.core.events import Accepted, Delta, Ended, PromptLogprobs, TokenLogprob


class TokenDetails:
    """What an answer of `answers` choices tells about tokens beside its text, as `extras` ask for it.

    Each of the prompts has the same number of choices, one after the other.
    """

    def __init__(self, extras: frozenset[Extra], answers: int) -> None:
        self._extras = extras
        self._answers = answers
        self._prompts: tuple[tuple[int, ...], ...] = ()
        self._scores: dict[int, list[Any]] = defaultdict(list)  # by prompt
        self._ids: dict[int, list[int]] = defaultdict(list)  # by choice: those that no chunk has had yet

    def accept(self, accepted: Accepted) -> None:
        """Take the token ids of the prompts."""
        self._prompts = accepted.prompts if "token_ids" in self._extras else ()

    def score(self, event: PromptLogprobs) -> None:
        """Take the next log probabilities of a prompt."""
        self._scores[event.prompt] += map(_scored, event.logprobs)

    def add(self, event: Delta | Ended) -> None:
        """Take the token ids of an event, for the next chunk of its choice."""
        if event.ids:
            self._ids[event.index] += event.ids

    def of_choice(self, index: int) -> dict[str, Any]:
        """The fields of a choice about the tokens that were added since the last one."""
        ids = self._ids.pop(index, [])
        names = (name for name in ("token_ids", "tokens") if name in self._extras)
        return dict.fromkeys(names, ids)

    def of_prompt(self, index: int) -> dict[str, Any]:
        """The fields about the prompt of a choice."""
        details: dict[str, Any] = {}
        if self._prompts:
            details["prompt_token_ids"] = self._prompts[index * len(self._prompts) // self._answers]
        if self._scores:
            details["prompt_logprobs"] = self._scores[index * len(self._scores) // self._answers]
        return details


def _scored(token: TokenLogprob) -> dict[str, Any] | None:
    """vLLM's entry for one place of a prompt: its own token and the likeliest ones, by token id."""
    if token.logprob is None:
        return None
    return {
        str(one.id): {"logprob": one.logprob, "rank": one.rank, "decoded_token": one.text}
        for one in (token, *token.top)
    }
