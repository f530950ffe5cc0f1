"""Which operations a model's KV caches support, for each of mlx-lm's cache types.

mlx-lm answers by duck typing, and some of its types promise more than they do: a trimmed `ConcatenateKVCache`
still appends to all of its keys, a `ChunkedKVCache` cannot be trimmed to before a chunk that it has dropped,
and `copy.copy` of a `CacheList` shares the caches in it. A type that is not known here is copied as a whole,
and never trimmed, merged or written to disk.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from mlx_lm.models import cache as mlx_caches
from mlx_lm.models.cache import (
    ArraysCache,
    CacheList,
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
)

from inference.worker.kv_quantization.quantized_kv import QuantizedKV

Cache = list[Any]  # one of mlx-lm's caches for each layer, of a single sequence

_ALWAYS_TRIMMABLE = (KVCache, QuantizedKVCache, QuantizedKV)
_MERGEABLE = (KVCache, RotatingKVCache, ArraysCache, QuantizedKV)


def copy_caches(cache: Sequence[Any]) -> Cache:
    """A copy of the caches that can be written to.

    Copying an array copies its handle; the numbers are copied by the first write to either of the two.
    """
    return copy.deepcopy(list(cache))


def trim_copy(cache: Sequence[Any], tokens: int) -> Cache:
    """A copy of the caches without their last `tokens` tokens; ValueError if they cannot be trimmed."""
    shorter = copy_caches(cache)
    if tokens and not can_trim(shorter):
        raise ValueError("These caches cannot be trimmed.")
    for layer in shorter if tokens else ():
        layer.trim(tokens)
    return shorter


def can_trim(cache: Iterable[Any]) -> bool:
    """Whether all of these caches can be trimmed to any earlier token."""
    return all(_can_trim(layer) for layer in cache)


def can_always_trim(cache: Iterable[Any]) -> bool:
    """Whether they can, whatever their length."""
    return all(_can_always_trim(layer) for layer in cache)


def needs_checkpoints(cache: Iterable[Any], *, can_trim: bool) -> bool:
    """Whether later prompts share caches only up to places where they were stored.

    `can_trim` is False for a model whose caches give wrong answers after they were trimmed.
    """
    return not (can_trim and can_always_trim(cache))


def unmergeable_type(cache: Iterable[Any]) -> str:
    """The type of the first cache that cannot be a row of a batch; empty if all can."""
    return next((name for layer in cache if (name := _unmergeable(layer))), "")


def can_be_saved(cache: Iterable[Any]) -> bool:
    """Whether mlx-lm can write all of these caches to a file and read them back."""
    return all(_can_be_saved(layer) for layer in cache)


def _can_trim(layer: Any) -> bool:
    if isinstance(layer, CacheList):
        return can_trim(layer.caches)
    if isinstance(layer, ChunkedKVCache):
        return bool(layer.start_position == 0)
    if isinstance(layer, RotatingKVCache):
        return bool(layer.is_trimmable())
    return _can_always_trim(layer)


def _can_always_trim(layer: Any) -> bool:
    if isinstance(layer, CacheList):
        return can_always_trim(layer.caches)
    return type(layer) in _ALWAYS_TRIMMABLE


def _unmergeable(layer: Any) -> str:
    if isinstance(layer, CacheList):
        return unmergeable_type(layer.caches)
    if isinstance(layer, RotatingKVCache) and layer.keep:  # their batched form does not keep the first tokens
        return f"{type(layer).__name__} with keep"
    return "" if type(layer) in _MERGEABLE else type(layer).__name__


def _can_be_saved(layer: Any) -> bool:
    if isinstance(layer, CacheList):
        return can_be_saved(layer.caches)
    # mlx-lm looks a type up by its name in its own module when it reads; mlx_lm_patches.py adds ours.
    return getattr(mlx_caches, type(layer).__name__, None) is type(layer)
