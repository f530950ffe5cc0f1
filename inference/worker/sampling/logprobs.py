"""The log probability of a sampled token, and of the likeliest tokens at its position."""

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from inference.worker.sampling.grammar import GrammarFailure

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
