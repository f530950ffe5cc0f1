"""The log probability of a sampled token, and of the likeliest tokens at its position."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

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


class LogprobRows:
    """The log probabilities of N rows with the same number of alternatives, which are read together."""

    def __init__(self, values: mx.array, top_ids: mx.array | None, top_values: mx.array | None) -> None:
        self.size = values.shape[0]
        self.arrays = [array for array in (values, top_ids, top_values) if array is not None]
        self._read: list[list[Any]] | None = None

    def read(self, place: int, failure: GrammarFailure | None) -> Logprob:
        """Wait for the arrays, unless another row has, and return those of one row."""
        if self._read is None:
            self._read = [_finite(array).tolist() for array in self.arrays]
            self.arrays = []
        values, *tops = self._read
        top = tuple(zip(*(of_rows[place] for of_rows in tops), strict=True))
        return Logprob(values[place], top, failure)


@dataclass(frozen=True)
class RowLogprob:
    """The Logprob of one of several rows, whose arrays may not be computed yet."""

    rows: LogprobRows
    place: int
    failure: GrammarFailure | None = None

    @property
    def arrays(self) -> list[mx.array]:
        """What has to be computed."""
        return self.rows.arrays

    def read(self) -> Logprob:
        """Wait for the arrays and convert them."""
        return self.rows.read(self.place, self.failure)


def logprob_rows(logits: mx.array, tokens: mx.array, alternatives: Sequence[int]) -> list[LogprobRows]:
    """The log probabilities of `tokens`, (R,), under `logits`, (R, V).

    `alternatives` are how many each row gets; they are sorted, and each number gets a LogprobRows.
    """
    logprobs = logits.astype(mx.float32)
    logprobs = logprobs - mx.logsumexp(logprobs, axis=-1, keepdims=True)
    values = mx.take_along_axis(logprobs, tokens[:, None], axis=-1)
    made, start = [], 0
    for count, of_run in groupby(alternatives):
        end = start + len(list(of_run))
        made.append(LogprobRows(values[start:end, 0], *_likeliest(logprobs[start:end], count)))
        start = end
    return made


def _likeliest(logprobs: mx.array, count: int) -> tuple[mx.array | None, mx.array | None]:
    """The ids and log probabilities of the `count` likeliest tokens of each row, likeliest first."""
    if not count:
        return None, None
    ids = mx.argpartition(logprobs, kth=-count, axis=-1)[:, -count:]
    values = mx.take_along_axis(logprobs, ids, axis=-1)
    order = mx.argsort(-values, axis=-1)
    return mx.take_along_axis(ids, order, axis=-1), mx.take_along_axis(values, order, axis=-1)


def _finite(array: mx.array) -> Any:
    """As a numpy array, with a figure for minus infinity in log probabilities."""
    return np.maximum(np.array(array), MIN_LOGPROB) if array.dtype == mx.float32 else np.array(array)
