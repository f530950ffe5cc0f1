"""The engine's log probabilities as clients get them: with the text and the bytes of each token."""

from collections.abc import Sequence

from msgspec import structs

from inference.core.events import TokenLogprob
from inference.worker.engine.sequence import Sampled, Scored
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.sampling.token_sampler import MIN_LOGPROB, Logprob


class TokenLogprobs:
    """Converts token ids and log probabilities with one model's tokenizer."""

    def __init__(self, tokenizer: HubTokenizer) -> None:
        self._tokenizer = tokenizer

    def of_sampled(self, sampled: Sampled) -> TokenLogprob | None:
        """The log probability of a sampled token; None if it has none."""
        return None if sampled.logprob is None else self._convert(sampled.token, sampled.logprob)

    def of_prompt(self, scored: Scored) -> list[TokenLogprob]:
        """One entry for each token of a prompt; the first has no log probability: nothing predicts it."""
        first, *others = scored.tokens
        unscored = structs.replace(self._token(first, 0.0), logprob=None)
        return [
            unscored,
            *(self._convert(token, logprob) for token, logprob in zip(others, scored.logprobs, strict=True)),
        ]

    def _convert(self, token: int, logprob: Logprob) -> TokenLogprob:
        top = tuple(self._token(other, value) for other, value in logprob.top)
        return self._token(token, logprob.value, top)

    def _token(self, token: int, logprob: float, top: Sequence[TokenLogprob] = ()) -> TokenLogprob:
        token_bytes = self._tokenizer.token_bytes(token)
        text = token_bytes.decode(errors="replace")
        return TokenLogprob(
            text=text, bytes=tuple(token_bytes), logprob=max(logprob, MIN_LOGPROB), top=tuple(top)
        )
