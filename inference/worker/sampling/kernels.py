"""Drawing the next token: logits in, token ids out; shape (rows, vocabulary) to (rows,).

mlx-lm's own samplers are compiled with their floats as constants, so every new temperature costs a
compilation (about a second on a CPU). These take the floats as arrays. None of them needs normalised
log probabilities, which cost a pass over the whole vocabulary for every sequence and step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import mlx.core as mx

from inference.core.requests import NEUTRAL, Sampling

_GREEDY_BELOW = 1e-4
_TOP_CANDIDATES = 1024  # tokens among which a nucleus is looked for first
_STRIDE = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: neighbouring seeds and places stay apart


@dataclass(frozen=True)
class SamplingParams:
    """What of the vocabulary may be drawn, and how sharply; equal shapes are computed together."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0  # 0: all
    min_p: float = 0.0

    @classmethod
    def of(cls, sampling: Sampling) -> "SamplingParams":
        whole = sampling.over(NEUTRAL)
        shape = cls(whole.temperature or 0.0, whole.top_p or 1.0, whole.top_k or 0, whole.min_p or 0.0)
        return GREEDY if shape.temperature < _GREEDY_BELOW else shape

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0


GREEDY = SamplingParams(temperature=0.0)


@dataclass(frozen=True)
class Draw:
    """One draw that can be repeated: the sequence's seed and the token's place in its answer.

    Without any state from draw to draw, a sequence draws the same alone, in any batch, and when it is
    computed a second time.
    """

    seed: int
    position: int

    @property
    def key(self) -> tuple[int, int]:
        """A key of mx.random: the two halves of 64 bits."""
        return divmod((self.seed * _STRIDE + self.position) % 2**64, 2**32)


def sample(logits: mx.array, shape: SamplingParams, draws: Sequence[Draw]) -> mx.array:
    """One token for each row, all of one shape, each row by its own draw."""
    if shape.is_greedy:
        return mx.argmax(logits, axis=-1)
    keys = mx.array([next_draw.key for next_draw in draws], dtype=mx.uint32)
    return _categorical(warped_logits(logits, shape), keys)


_categorical = mx.vmap(lambda row, key: mx.random.categorical(row, key=key))


def warped_logits(logits: mx.array, shape: SamplingParams) -> mx.array:
    """Scale by temperature, then cut by top-k, top-p and min-p: the order of Hugging Face and vLLM."""
    shaped = logits.astype(mx.float32) * _constant(1.0 / shape.temperature)
    if 0 < shape.top_k < logits.shape[-1]:
        shaped = keep_top_k(shaped, shape.top_k)
    if shape.top_p < 1:
        shaped = keep_top_p(shaped, _constant(shape.top_p))
    if shape.min_p > 0:
        shaped = keep_min_p(shaped, _constant(shape.min_p))
    return shaped


@lru_cache(maxsize=256)
def _constant(value: float) -> mx.array:
    """An array, so that no value is compiled into a kernel."""
    made = mx.array(value)
    mx.eval(made)  # before that it would belong to the thread that made it
    return made


def keep_top_k(logits: mx.array, top_k: int) -> mx.array:
    """Only the `top_k` largest of each row; among equals the choice is by place."""
    dropped = mx.argpartition(logits, kth=-top_k, axis=-1)[..., :-top_k]
    return mx.put_along_axis(logits, dropped, mx.array(-mx.inf, logits.dtype), axis=-1)


def keep_top_p(logits: mx.array, top_p: mx.array) -> mx.array:
    """Nucleus sampling (https://arxiv.org/abs/1904.09751): the smallest set whose mass reaches `top_p`.

    A CPU takes 7 ms to sort each row of 49,152, a tenth of a small model's whole step; nearly always the
    nucleus lies among the likeliest few, which are found without sorting the rest.
    """
    is_candidate_search_faster = (
        logits.shape[-1] > 4 * _TOP_CANDIDATES and mx.default_device().type == mx.DeviceType.cpu
    )
    among_likeliest = _keep_top_p_of_candidates(logits, top_p) if is_candidate_search_faster else None
    return _keep_top_p_of_all(logits, top_p) if among_likeliest is None else among_likeliest


def _keep_top_p_of_candidates(logits: mx.array, top_p: mx.array) -> mx.array | None:
    """The same, or None when some row's nucleus is larger; this has to read a value back."""
    places = mx.argpartition(logits, kth=-_TOP_CANDIDATES, axis=-1)[..., -_TOP_CANDIDATES:]
    found = mx.take_along_axis(logits, places, axis=-1)
    order = mx.argsort(found, axis=-1)
    places, ascending = (mx.take_along_axis(array, order, axis=-1) for array in (places, found))
    mass = mx.exp(ascending - mx.logsumexp(logits, axis=-1, keepdims=True))
    mass_above = mx.cumsum(mass, axis=-1, reverse=True, inclusive=False)
    if not mx.all(mass_above[..., 0] + mass[..., 0] >= top_p).item():
        return None
    kept = mx.where(mass_above >= top_p, -mx.inf, ascending)
    return mx.put_along_axis(mx.full(logits.shape, -mx.inf, logits.dtype), places, kept, axis=-1)


def _keep_top_p_of_all(logits: mx.array, top_p: mx.array) -> mx.array:
    order = mx.argsort(logits, axis=-1)
    ascending = mx.take_along_axis(logits, order, axis=-1)
    # The mass of all tokens more likely than each one; those with enough above them are dropped.
    mass_above = mx.cumsum(mx.softmax(ascending, axis=-1), axis=-1, reverse=True, inclusive=False)
    kept = mx.where(mass_above >= top_p, -mx.inf, ascending)
    # Back by place and not by value: in half precision equal values are common, and all would be kept.
    return mx.put_along_axis(logits, order, kept, axis=-1)


def keep_min_p(logits: mx.array, min_p: mx.array) -> mx.array:
    """Drop what is less likely than `min_p` times the likeliest (https://arxiv.org/abs/2407.01082)."""
    return mx.where(logits < mx.max(logits, axis=-1, keepdims=True) + mx.log(min_p), -mx.inf, logits)
