"""The samplers of all rows of a batch, with their work done together.

A graph costs time for each operation in it, about 4 us on the engine's thread, whatever the size of its
arrays. What several rows need is therefore one operation on their rows, with a value for each row.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import mlx.core as mx
import numpy as np

from inference.worker.sampling.constraint import TokenMask
from inference.worker.sampling.grammar import GrammarFailure, mask
from inference.worker.sampling.kernels import Draw, RowParameters, SamplingParams
from inference.worker.sampling.logprobs import LogprobRows, RowLogprob, logprob_rows
from inference.worker.sampling.penalties import Penalties, PenaltyRows
from inference.worker.sampling.repetition import RecentTokens
from inference.worker.sampling.xtc import without_top_choices

Rows = list[int]


class RowSampler(Protocol):
    """What a row needs: a TokenSampler, which explains these."""

    params: SamplingParams
    logprobs: int | None
    bias: tuple[tuple[int, float], ...]
    penalties: Penalties | None
    recent: RecentTokens | None
    xtc_threshold: float | None
    is_constrained: bool

    @property
    def leaves_top_choices_out(self) -> bool: ...

    @property
    def failure(self) -> GrammarFailure | None: ...

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None: ...

    def next_draw(self) -> Draw: ...


class RowSamplers:
    """The TokenSamplers of B rows. Used on the engine's thread only, for as many steps as the rows stay.

    Each row gets what its sampler alone would give it:

    1. `process` applies penalties, biases, masks and XTC to the rows that have them.
    2. `sample` samples all rows.
    3. `logprobs` computes the log probabilities of the rows that report them.
    """

    def __init__(self, samplers: Sequence[RowSampler]) -> None:
        self.samplers = list(samplers)
        self._parameters = RowParameters([one.params for one in samplers])
        self._penalised = [row for row, one in enumerate(samplers) if one.penalties]
        self._penalty_rows: PenaltyRows | None = None
        self._recent = [row for row, one in enumerate(samplers) if one.recent]
        self._xtc = [row for row, one in enumerate(samplers) if one.xtc_threshold is not None]
        # Greedy rows have no use for their position, but for the coins of XTC.
        self._undrawn = sorted({*self._xtc} - {*self._parameters.drawn})
        biases = [(row, *bias) for row, one in enumerate(samplers) for bias in one.bias]
        self._bias = _bias_of(biases) if biases else None
        reporting = [row for row, one in enumerate(samplers) if one.logprobs is not None]
        self._reporting = self._by_alternatives(reporting)
        self._indices: dict[tuple[int, ...], mx.array] = {}

    @classmethod
    def of(cls, samplers: Sequence[RowSampler], before: "RowSamplers | None") -> "RowSamplers":
        """Those of the step before, if their samplers are these."""
        return before if before is not None and before.samplers == samplers else cls(samplers)

    @property
    def constrained(self) -> Rows:
        """The rows that must observe each token before the next one; an answer may become one of them."""
        return [row for row, one in enumerate(self.samplers) if one.is_constrained]

    def process(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """Apply what changes logits, in the order of TokenSampler: (B, V) to (B, V).

        `tokens`, shape (B,), are the latest ones. The result is float32 if any row has changed.
        """
        if self._penalised:
            logits = self._penalise(tokens, logits.astype(mx.float32))
        if self._recent:
            logits = self._penalise_recent(logits.astype(mx.float32))
        if self._bias:
            rows, ids, values = self._bias
            logits = logits.astype(mx.float32).at[rows, ids].add(values)
        logits = self._mask(logits)
        return self._leave_top_choices_out(logits) if self._xtc else logits

    def sample(self, logits: mx.array) -> mx.array:
        """Sample one token for each row, (B, V) to (B,); each call advances the rows' positions."""
        for row in self._undrawn:
            self.samplers[row].next_draw()
        keys = [self.samplers[row].next_draw().key for row in self._parameters.drawn]
        return self._parameters.sample(logits, keys)

    def logprobs(
        self, logits: mx.array, tokens: mx.array
    ) -> tuple[list[RowLogprob | None], list[LogprobRows]]:
        """The log probability of each row's token, None for rows without one, and what has to be computed."""
        found: list[RowLogprob | None] = [None] * len(self.samplers)
        failed = [row for row in self.constrained if self.samplers[row].failure]
        rows = self._by_alternatives({*self._reporting, *failed}) if failed else self._reporting
        if not rows:
            return found, []
        counts = [self.samplers[row].logprobs or 0 for row in rows]
        made = logprob_rows(self._take(rows, logits), self._take(rows, tokens), counts)
        places = [(of, place) for of in made for place in range(of.size)]
        for row, (of, place) in zip(rows, places, strict=True):
            found[row] = RowLogprob(of, place, self.samplers[row].failure)
        return found, made

    def _by_alternatives(self, rows: Iterable[int]) -> Rows:
        """The rows in the order of their numbers of alternatives."""
        return sorted(rows, key=lambda row: (self.samplers[row].logprobs or 0, row))

    def _penalise(self, tokens: mx.array, logits: mx.array) -> mx.array:
        rows = self._penalised
        penalties = [one for row in rows if (one := self.samplers[row].penalties)]
        if self._penalty_rows is None or not self._penalty_rows.are(penalties):
            self._penalty_rows = PenaltyRows(penalties, logits.shape[-1])
        penalised = self._penalty_rows.apply(self._take(rows, tokens), self._take(rows, logits))
        return self._put(rows, logits, penalised)

    def _penalise_recent(self, logits: mx.array) -> mx.array:
        for row in self._recent:
            if recent := self.samplers[row].recent:
                logits = self._put([row], logits, recent.apply(self._take([row], logits)))
        return logits

    def _mask(self, logits: mx.array) -> mx.array:
        masks: dict[int, TokenMask] = {}
        for row in self.constrained:
            if (allowed := self.samplers[row].allowed_tokens(logits.shape[-1])) is not None:
                masks[row] = allowed
        if not masks:
            return logits
        rows, logits = list(masks), logits.astype(mx.float32)
        return self._put(rows, logits, mask(self._take(rows, logits), np.stack(list(masks.values()))))

    def _leave_top_choices_out(self, logits: mx.array) -> mx.array:
        rows = [row for row in self._xtc if self.samplers[row].leaves_top_choices_out]
        if not rows:
            return logits
        logits = logits.astype(mx.float32)
        thresholds = mx.array([[self.samplers[row].xtc_threshold] for row in rows])
        return self._put(rows, logits, without_top_choices(self._take(rows, logits), thresholds))

    def _take(self, rows: Rows, array: mx.array) -> mx.array:
        """These rows of an array of B rows."""
        return array if len(rows) == len(self.samplers) and _is_sorted(rows) else array[self._index(rows)]

    def _put(self, rows: Rows, array: mx.array, values: mx.array) -> mx.array:
        """The array with other values in these rows."""
        if len(rows) == len(self.samplers):
            return values
        changed = array.astype(array.dtype)  # an assignment changes the object
        changed[self._index(rows)] = values
        return changed

    def _index(self, rows: Rows) -> mx.array:
        key = tuple(rows)
        if key not in self._indices:
            self._indices[key] = mx.array(rows, dtype=mx.uint32)
        return self._indices[key]


def _is_sorted(rows: Rows) -> bool:
    return rows == sorted(rows)


def _bias_of(biases: Sequence[tuple[int, int, float]]) -> tuple[mx.array, mx.array, mx.array]:
    """Rows, token ids and what is added there."""
    rows, ids, values = zip(*biases, strict=True)
    return mx.array(rows, dtype=mx.uint32), mx.array(ids, dtype=mx.uint32), mx.array(values)
