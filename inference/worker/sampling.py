"""Samplers: log probabilities in, tokens out; shape (batch, vocabulary) to (batch,).

mlx-lm's own samplers are compiled with their floats as constants, so every new temperature costs a
compilation (about a second on a CPU). These take the floats as arrays. Equal parameters give the same
object, because BatchGenerator calls a sampler shared by the whole batch once.
"""

from collections.abc import Callable
from functools import lru_cache

import mlx.core as mx

from inference.types import Sampling

Sampler = Callable[[mx.array], mx.array]
_GREEDY_BELOW = 1e-4


def sampler_for(sampling: Sampling) -> Sampler:
    """The sampler of one request: shared where it has no state of its own, seeded where asked."""
    temperature = 1.0 if sampling.temperature is None else sampling.temperature
    top_p = 1.0 if sampling.top_p is None else sampling.top_p
    if temperature < _GREEDY_BELOW:
        return _greedy
    if sampling.seed is None:
        return _shared(temperature, top_p)
    return _seeded(temperature, top_p, sampling.seed)


def _greedy(logprobs: mx.array) -> mx.array:
    return mx.argmax(logprobs, axis=-1)


@lru_cache(maxsize=128)
def _shared(temperature: float, top_p: float) -> Sampler:
    shape = _shaper(temperature, top_p)

    def sample(logprobs: mx.array) -> mx.array:
        return mx.random.categorical(shape(logprobs))

    return sample


def _seeded(temperature: float, top_p: float, seed: int) -> Sampler:
    """A sampler with a random state of its own: the same draws alone and in any batch."""
    shape = _shaper(temperature, top_p)
    key = mx.random.key(seed % 2**64)

    def sample(logprobs: mx.array) -> mx.array:
        nonlocal key
        key, draw = mx.random.split(key)
        return mx.random.categorical(shape(logprobs), key=draw)

    return sample


def _shaper(temperature: float, top_p: float) -> Sampler:
    """Scale by temperature, then keep the nucleus: the order of Hugging Face and vLLM."""
    scale = mx.array(1.0 / temperature)
    nucleus = mx.array(top_p)

    def shape(logprobs: mx.array) -> mx.array:
        scaled = logprobs.astype(mx.float32) * scale
        return scaled if top_p >= 1 else keep_top_p(scaled, nucleus)

    return shape


def keep_top_p(logits: mx.array, top_p: mx.array) -> mx.array:
    """Nucleus sampling (https://arxiv.org/abs/1904.09751): the smallest set whose mass reaches `top_p`."""
    order = mx.argsort(logits, axis=-1)
    ascending = mx.take_along_axis(logits, order, axis=-1)
    # The mass of all tokens more likely than each one; those with enough above them are dropped.
    mass_above = mx.cumsum(mx.softmax(ascending, axis=-1), axis=-1, reverse=True, inclusive=False)
    kept = mx.where(mass_above >= top_p, -mx.inf, ascending)
    # Back by place and not by value: in half precision equal values are common, and all would be kept.
    return mx.put_along_axis(logits, order, kept, axis=-1)
