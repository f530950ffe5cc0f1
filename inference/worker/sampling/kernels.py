"""Sampling kernels: logits of shape (B, V) in, token ids of shape (B,) uint32 out.

B is the number of rows of the batch and V the size of the vocabulary. A row is sampled in these steps:

1. Divide by the temperature (https://arxiv.org/abs/1503.02531).
2. Top-k: keep the k largest logits (https://arxiv.org/abs/1805.04833).
3. Top-p, or nucleus sampling (https://arxiv.org/abs/1904.09751).
4. Min-p (https://arxiv.org/abs/2407.01082).
5. Draw from what is left, with the Gumbel-max trick of mx.random.categorical and the row's own key.

A temperature of 0 takes the largest logit instead.

mlx-lm's own samplers are compiled with their floats as constants, so every new temperature costs a
compilation (about a second on a CPU). These take the floats as arrays. None of them needs normalised
log probabilities, which would cost a pass over the whole vocabulary for every sequence and step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import mlx.core as mx

from inference.core.requests import NEUTRAL, Sampling

_GREEDY_BELOW = 1e-4
_TOP_CANDIDATES = 1024  # tokens among which the nucleus is searched first
_STRIDE = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: neighbouring seeds and positions stay apart


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


GREEDY = SamplingParams(temperature=0.0)


@dataclass(frozen=True)
class Draw:
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
    """Sample one token for each row: (B, V) logits and B draws to (B,) token ids."""
    if params.is_greedy:
        return mx.argmax(logits, axis=-1)
    keys = mx.array([draw.key for draw in draws], dtype=mx.uint32)
    return _categorical(warped_logits(logits, params), keys)


_categorical = mx.vmap(lambda row, key: mx.random.categorical(row, key=key))


def warped_logits(logits: mx.array, params: SamplingParams) -> mx.array:
    """Temperature, top-k, top-p and min-p, in the order of Hugging Face and vLLM.

    Takes (B, V) logits of any float type; returns (B, V) float32 with minus infinity for dropped tokens.
    """
    warped = logits.astype(mx.float32) * _constant(1.0 / params.temperature)
    if 0 < params.top_k < logits.shape[-1]:
        warped = keep_top_k(warped, params.top_k)
    if params.top_p < 1:
        warped = keep_top_p(warped, _constant(params.top_p))
    if params.min_p > 0:
        warped = keep_min_p(warped, _constant(params.min_p))
    return warped


@lru_cache(maxsize=256)
def _constant(value: float) -> mx.array:
    """A scalar array, so that no value is compiled into a kernel."""
    made = mx.array(value)
    mx.eval(made)  # an unevaluated array would belong to the thread that made it
    return made


def keep_top_k(logits: mx.array, top_k: int) -> mx.array:
    """Keep the `top_k` largest logits of each row, (B, V) to (B, V)."""
    dropped = mx.argpartition(logits, kth=-top_k, axis=-1)[..., :-top_k]
    return mx.put_along_axis(logits, dropped, mx.array(-mx.inf, logits.dtype), axis=-1)


def keep_top_p(logits: mx.array, top_p: mx.array) -> mx.array:
    """Keep the nucleus of each row, (B, V) to (B, V): the smallest set whose probability reaches `top_p`.

    A CPU takes 7 ms to sort each row of 49,152, a tenth of a small model's whole step; nearly always the
    nucleus lies among the top candidates, which are candidates without sorting the rest.
    """
    is_candidate_search_faster = (
        logits.shape[-1] > 4 * _TOP_CANDIDATES and mx.default_device().type == mx.DeviceType.cpu
    )
    nucleus = _keep_top_p_of_candidates(logits, top_p) if is_candidate_search_faster else None
    return _keep_top_p_of_all(logits, top_p) if nucleus is None else nucleus


def _keep_top_p_of_candidates(logits: mx.array, top_p: mx.array) -> mx.array | None:
    """The same, or None if some row's nucleus is larger; waits for the device to find that out."""
    indices = mx.argpartition(logits, kth=-_TOP_CANDIDATES, axis=-1)[..., -_TOP_CANDIDATES:]
    candidates = mx.take_along_axis(logits, indices, axis=-1)
    order = mx.argsort(candidates, axis=-1)
    indices, ascending = (mx.take_along_axis(array, order, axis=-1) for array in (indices, candidates))
    mass = mx.exp(ascending - mx.logsumexp(logits, axis=-1, keepdims=True))
    mass_above = mx.cumsum(mass, axis=-1, reverse=True, inclusive=False)
    if not mx.all(mass_above[..., 0] + mass[..., 0] >= top_p).item():
        return None
    kept = mx.where(mass_above >= top_p, -mx.inf, ascending)
    return mx.put_along_axis(mx.full(logits.shape, -mx.inf, logits.dtype), indices, kept, axis=-1)


def _keep_top_p_of_all(logits: mx.array, top_p: mx.array) -> mx.array:
    order = mx.argsort(logits, axis=-1)
    ascending = mx.take_along_axis(logits, order, axis=-1)
    # For each token the probability of all likelier ones; it is dropped if that reaches top_p.
    mass_above = mx.cumsum(mx.softmax(ascending, axis=-1), axis=-1, reverse=True, inclusive=False)
    kept = mx.where(mass_above >= top_p, -mx.inf, ascending)
    # Select by index and not by value: half precision has many equal values, and all would be kept.
    return mx.put_along_axis(logits, order, kept, axis=-1)


def keep_min_p(logits: mx.array, min_p: mx.array) -> mx.array:
    """Keep the tokens with at least `min_p` times their row's largest probability, (B, V) to (B, V)."""
    return mx.where(logits < mx.max(logits, axis=-1, keepdims=True) + mx.log(min_p), -mx.inf, logits)
