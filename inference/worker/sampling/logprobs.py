"""The log probability of a sampled token, and of the likeliest tokens at its position."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import mlx.core as mx

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
    """The log probabilities of N rows with the same number of alternatives, which are read together.

    `values`, (at least first + N,), has theirs from `first` on; `top_ids` and `top_values` have the shape
    (N, alternatives) and any order.
    """

    def __init__(
        self,
        values: mx.array,
        top_ids: mx.array | None,
        top_values: mx.array | None,
        *,
        first: int = 0,
        size: int | None = None,
    ) -> None:
        self.size = values.shape[0] if size is None else size
        self.arrays = [array for array in (values, top_ids, top_values) if array is not None]
        self._first = first
        self._read: list[list[Any]] | None = None

    def read(self, place: int, failure: GrammarFailure | None) -> Logprob:
        """Wait for the arrays, unless another row has, and return those of one row."""
        if self._read is None:
            self._read = [array.tolist() for array in self.arrays]  # type: ignore[misc]
            self.arrays = []
        values, *tops = self._read
        value = max(values[self._first + place], MIN_LOGPROB)
        if not tops:
            return Logprob(value, (), failure)
        ids, logprobs = (of_rows[place] for of_rows in tops)
        # A few numbers are sorted here in the time that starting one operation takes.
        top = sorted(zip(ids, logprobs, strict=True), key=itemgetter(1), reverse=True)
        return Logprob(value, tuple((token, max(own, MIN_LOGPROB)) for token, own in top), failure)


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
    logits = logits.astype(mx.float32)
    log_sums = mx.logsumexp(logits, axis=-1, keepdims=True)
    values = (mx.take_along_axis(logits, tokens[:, None], axis=-1) - log_sums).squeeze(1)
    made, first = [], 0
    for count, of_run in groupby(alternatives):
        size = len(list(of_run))
        likeliest = _likeliest(logits, log_sums, slice(first, first + size), count)
        made.append(LogprobRows(values, *likeliest, first=first, size=size))
        first += size
    return made


def _likeliest(
    logits: mx.array, log_sums: mx.array, rows: slice, count: int
) -> tuple[mx.array | None, mx.array | None]:
    """The ids and log probabilities of the `count` likeliest tokens of these rows, in any order."""
    if not count:
        return None, None
    ids = mx.argpartition(logits[rows], kth=-count, axis=-1)[:, -count:]
    return ids, mx.take_along_axis(logits[rows], ids, axis=-1) - log_sums[rows]
