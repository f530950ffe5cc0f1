"""The engine's log probabilities as clients get them: with the text and the bytes of each token."""

from collections.abc import Sequence

from msgspec import structs

from inference.core.events import PromptLogprobs, TokenLogprob
from inference.worker.engine.sequence import Sampled, Scored
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.sampling.logprobs import MIN_LOGPROB, Logprob

_PIECE = 1024  # tokens in one event


class TokenLogprobs:
    """Converts token ids and log probabilities with one model's tokenizer."""

    def __init__(self, tokenizer: HubTokenizer) -> None:
        self._tokenizer = tokenizer

    def of_sampled(self, sampled: Sampled) -> TokenLogprob | None:
        """The log probability of a sampled token; None if it has none."""
        return None if sampled.logprob is None else self._convert(sampled.token, sampled.logprob)

    def of_prompt(self, scored: Scored, alternatives: int | None = None) -> list[TokenLogprob]:
        """One entry for each token of a prompt; the first has no log probability: nothing predicts it.

        Each has at most so many `alternatives`, or else as many as were computed.
        """
        first, *others = scored.tokens
        unscored = structs.replace(self._token(first, 0.0), logprob=None)
        return [
            unscored,
            *(
                self._convert(token, logprob, alternatives)
                for token, logprob in zip(others, scored.logprobs, strict=True)
            ),
        ]

    def events_of_prompt(self, scored: Scored, prompt: int, alternatives: int) -> list[PromptLogprobs]:
        """The entries of a prompt with the ids and ranks of their tokens, in pieces that fit into a frame."""
        entries = self.of_prompt(scored, alternatives)
        ranks = [None, *(logprob.rank for logprob in scored.logprobs)]
        tops = [(), *(logprob.top for logprob in scored.logprobs)]
        ranked = [
            structs.replace(entry, id=token, rank=rank, top=_ranked(entry.top, top))
            for entry, token, rank, top in zip(entries, scored.tokens, ranks, tops, strict=True)
        ]
        return [
            PromptLogprobs(prompt=prompt, logprobs=tuple(ranked[at : at + _PIECE]))
            for at in range(0, len(ranked), _PIECE)
        ]

    def _convert(self, token: int, logprob: Logprob, alternatives: int | None = None) -> TokenLogprob:
        top = tuple(self._token(other, value) for other, value in logprob.top[:alternatives])
        return self._token(token, logprob.value, top)

    def _token(self, token: int, logprob: float, top: Sequence[TokenLogprob] = ()) -> TokenLogprob:
        token_bytes = self._tokenizer.token_bytes(token)
        text = token_bytes.decode(errors="replace")
        return TokenLogprob(
            text=text, bytes=tuple(token_bytes), logprob=max(logprob, MIN_LOGPROB), top=tuple(top)
        )


def _ranked(top: Sequence[TokenLogprob], ids: Sequence[tuple[int, float]]) -> tuple[TokenLogprob, ...]:
    """The likeliest tokens in one place with their ids and ranks."""
    return tuple(
        structs.replace(entry, id=token, rank=place)
        for place, (entry, (token, _)) in enumerate(zip(top, ids, strict=False), start=1)
    )
