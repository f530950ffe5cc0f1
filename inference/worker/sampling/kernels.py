"""Sampling kernels: logits of shape (B, V) in, token ids of shape (B,) uint32 out.

B is the number of rows of the batch and V the size of the vocabulary. A row is sampled in these steps:

1. Divide by the temperature (https://arxiv.org/abs/1503.02531).
2. Top-k: keep the k largest logits (https://arxiv.org/abs/1805.04833).
3. Top-p, or nucleus sampling (https://arxiv.org/abs/1904.09751).
4. Min-p (https://arxiv.org/abs/2407.01082).
5. Draw from what is left, with the Gumbel-max trick of mx.random.categorical and the row's own key.

A temperature of 0 takes the largest logit instead.

mlx-lm's own samplers are compiled with their floats as constants, so every new temperature costs a
compilation (about a second on a CPU). These take the floats as arrays, one value for each row, so that rows
with different parameters share a kernel. None of them needs normalised log probabilities, which would cost a
pass over the whole vocabulary for every sequence and step.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from inference.core.requests import NEUTRAL, Sampling
from inference.worker.sampling.constant import column, constant
from inference.worker.sampling.truncation import Truncation, keep_min_p, keep_top

_GREEDY_BELOW = 1e-4
_STRIDE = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: neighbouring seeds and positions stay apart
_LARGEST_BITS = float(2**32 - 1)
_BELOW_ONE = 1 - 2**-24  # the largest number of single precision below 1


@dataclass(frozen=True)
class SamplingParams:
    """What changes a row's distribution; rows with equal parameters are sampled together."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0  # 0: all
    min_p: float = 0.0

    @classmethod
    def of(cls, sampling: Sampling) -> "SamplingParams":
        whole = sampling.over(NEUTRAL)
        params = cls(whole.temperature or 0.0, whole.top_p or 1.0, whole.top_k or 0, whole.min_p or 0.0)
        return GREEDY if params.temperature < _GREEDY_BELOW else params

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0

    @property
    def is_truncated(self) -> bool:
        """Whether it has a top-k or a top-p."""
        return self.top_p < 1 or self.top_k > 0


GREEDY = SamplingParams(temperature=0.0)


class Draw(NamedTuple):
    """The source of one token's randomness: the sequence's seed and the token's position in its answer.

    There is no state between draws: a sequence draws the same tokens alone, in any batch, and when it is
    computed a second time.
    """

    seed: int
    position: int

    @property
    def key(self) -> tuple[int, int]:
        """A key of mx.random: the upper and the lower 32 bits of a 64-bit hash."""
        return divmod((self.seed * _STRIDE + self.position) % 2**64, 2**32)


def sample(logits: mx.array, params: SamplingParams, draws: Sequence[Draw]) -> mx.array:
    """Sample one token for each row with the same parameters: (B, V) logits and B draws to (B,) token ids."""
    return sample_each([params] * len(draws), draws, logits)


def sample_each(params: Sequence[SamplingParams], draws: Sequence[Draw], logits: mx.array) -> mx.array:
    """Sample one token for each row, (B, V) to (B,)."""
    rows = RowParameters(params)
    return rows.sample(logits, [draws[row].key for row in rows.drawn])


class RowParameters:
    """Samples B rows, each with its own parameters; made once for many steps with the same rows.

    A row gets the same token whatever the other rows' parameters are:

    1. Rows that are not greedy are sorted: those with a top-k or a top-p come last, and are truncated
       together.
    2. Each of the other kernels runs once, with a value for each row.
    3. The tokens are put back in order, and greedy rows take their largest logit.
    """

    def __init__(self, params: Sequence[SamplingParams]) -> None:
        rows = range(len(params))
        whole = [row for row in rows if not (params[row].is_greedy or params[row].is_truncated)]
        truncated = [row for row in rows if params[row].is_truncated and not params[row].is_greedy]
        self.drawn = [*whole, *truncated]  # the rows that need a key, in this order
        self._drawn_params = [params[row] for row in self.drawn]
        self._whole = len(whole)
        self._warp: _Warp | None = None
        self._drawn_rows = _index(self.drawn, len(params))
        # For each row its place among those that are drawn; any place for a greedy one.
        self._places = _index(
            [self.drawn.index(row) if row in self.drawn else 0 for row in rows], len(params)
        )
        has_greedy = len(self.drawn) < len(params)
        self._is_greedy = mx.array([own.is_greedy for own in params]) if has_greedy else None

    def sample(self, logits: mx.array, keys: Sequence[tuple[int, int]]) -> mx.array:
        """Sample one token for each row, (B, V) to (B,), with a key of mx.random for each row in `drawn`."""
        if not self.drawn:
            return mx.argmax(logits, axis=-1)
        if self._warp is None:
            self._warp = _Warp(self._drawn_params, self._whole, logits.shape[-1])
        rows = logits if self._drawn_rows is None else logits[self._drawn_rows]
        tokens = categorical(self._warp(rows), keys)
        tokens = tokens if self._places is None else tokens[self._places]
        if self._is_greedy is None:
            return tokens
        return mx.where(self._is_greedy, mx.argmax(logits, axis=-1), tokens)


class _Warp:
    """Temperature, top-k, top-p and min-p of R rows, in the order of Hugging Face and vLLM.

    The first `whole` rows have neither a top-k nor a top-p.
    """

    def __init__(self, params: Sequence[SamplingParams], whole: int, vocabulary: int) -> None:
        truncated = params[whole:]
        self._whole = whole
        self._inverse_temperatures = column(
            [1.0 / own.temperature for own in params], vocabulary, neutral=1.0
        )
        log_min_p = [math.log(own.min_p) if own.min_p > 0 else -math.inf for own in params]
        self._log_min_p = column(log_min_p, 1, neutral=-math.inf)
        self._truncation = (
            Truncation([own.top_k for own in truncated], [own.top_p for own in truncated], vocabulary)
            if truncated
            else None
        )

    def __call__(self, logits: mx.array) -> mx.array:
        """Logits (R, V) of any float type to float32, with minus infinity for dropped tokens."""
        warped = logits.astype(mx.float32)
        if self._inverse_temperatures is not None:
            warped = warped * self._inverse_temperatures
        if self._truncation is not None:
            kept = keep_top(warped[self._whole :], self._truncation)
            warped = mx.concatenate([warped[: self._whole], kept]) if self._whole else kept
        return warped if self._log_min_p is None else keep_min_p(warped, self._log_min_p)


def categorical(logits: mx.array, keys: Sequence[tuple[int, int]]) -> mx.array:
    """Draw one token for each row, (R, V) to (R,), by the row's own key of mx.random.

    The tokens are those of mx.random.categorical for each row, if V is even. Under mx.vmap, that function
    takes longer to build its graph than the rest of a step, so only the random bits are made under it.
    """
    rows, vocabulary = shape = logits.shape
    bits = _random_bits(vocabulary)(mx.array(np.array(keys, np.uint32))).reshape(rows, -1)
    if vocabulary % 2:
        bits = bits[:, :vocabulary]
    uniform = mx.minimum(bits / constant(_LARGEST_BITS, shape), constant(_BELOW_ONE, shape))
    return mx.argmax(logits - mx.log(-mx.log(uniform)), axis=-1)


@lru_cache(maxsize=8)
def _random_bits(vocabulary: int) -> Any:
    """A function from keys, (R, 2), to (R, V / 2 rounded up, 2) random numbers of 32 bits."""
    pairs = (vocabulary + 1) // 2
    return mx.vmap(lambda key: mx.random.split(key, num=pairs))


def _index(rows: Sequence[int], total: int) -> mx.array | None:
    """The rows as an index; None if they are all rows in order."""
    return None if list(rows) == list(range(total)) else mx.array(list(rows), dtype=mx.uint32)
