"""What can be done with a model's KV caches, layer by layer, whichever of mlx-lm's types they are.

mlx-lm says what a cache can do by duck typing, and some of its types promise more than they keep: a
`ConcatenateKVCache` that is trimmed still appends to all of its keys, a `ChunkedKVCache` cannot go back to
before the chunk that it has dropped, and `copy.copy` of a `CacheList` shares the caches within. A type that
is not known here is copied as a whole, never trimmed, never merged and never written to disk.
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

Cache = list[Any]  # one of mlx-lm's caches for each layer, of a single sequence

_ALWAYS_TRIMMABLE = (KVCache, QuantizedKVCache)
_MERGEABLE = (KVCache, RotatingKVCache, ArraysCache)


def copy_caches(cache: Sequence[Any]) -> Cache:
    """The same caches for a reader who goes on writing to them.

    Copying an array copies its handle; the numbers are copied by the first write to either of the two.
    """
    return copy.deepcopy(list(cache))


def trim_copy(cache: Sequence[Any], tokens: int) -> Cache:
    """A copy of the caches without their last `tokens` tokens; raises ValueError if they cannot go back."""
    shorter = copy_caches(cache)
    if tokens and not can_trim(shorter):
        raise ValueError("These caches cannot go back.")
    for layer in shorter if tokens else ():
        layer.trim(tokens)
    return shorter


def can_trim(cache: Iterable[Any]) -> bool:
    """Whether all of these caches can go back to any earlier token."""
    return all(_can_trim(layer) for layer in cache)


def can_always_trim(cache: Iterable[Any]) -> bool:
    """Whether they can, however long they grow."""
    return all(_can_always_trim(layer) for layer in cache)


def unmergeable_type(cache: Iterable[Any]) -> str:
    """The type of the first cache that cannot be one row of a batch; empty when all can."""
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
    if isinstance(layer, RotatingKVCache) and layer.keep:  # a batch of them keeps no first tokens
        return f"{type(layer).__name__} with keep"
    return "" if type(layer) in _MERGEABLE else type(layer).__name__


def _can_be_saved(layer: Any) -> bool:
    if isinstance(layer, CacheList):
        return can_be_saved(layer.caches)
    # Reading looks a type up by its name among the module's own.
    return getattr(mlx_caches, type(layer).__name__, None) is type(layer)
