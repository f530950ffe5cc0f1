"""The keys and values of consecutive tokens, cut out of a sequence's caches and joined again.

Only caches whose every position is independent of the later ones can be cut: the plain ones and the quantized
ones. A sliding window or a recurrent state is the state at one position and is stored as a whole (cache.py).
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import mlx.core as mx
from mlx_lm.models.cache import KVCache, QuantizedKVCache

from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.prefix_cache.layers import Cache

_CUTTABLE = (KVCache, QuantizedKVCache, QuantizedKV)


class Segment:
    """Caches of the tokens of one edge, (1, heads, tokens, size) in each layer that can be cut, else None.

    The two parts of a divided segment share its memory until one of them is dropped; the other then gets
    arrays of its own, because a part of a buffer keeps all of it.
    """

    def __init__(self, layers: Cache, sharing: "WeakSet[Segment] | None" = None) -> None:
        self.layers = layers
        self.bytes = sum(layer.nbytes for layer in layers if layer is not None and layer.keys is not None)
        # Weak, because a segment that keeps itself alive frees its memory only in a collection of garbage.
        self._sharing: WeakSet[Segment] = WeakSet() if sharing is None else sharing
        self._sharing.add(self)

    def split(self, at: int) -> "tuple[Segment, Segment]":
        """The segment's first `at` tokens and the others; it must not be used any more."""
        length = max((layer.offset for layer in self.layers if layer is not None), default=at)
        self._sharing.discard(self)
        first, second = (cut(self.layers, *part) for part in ((0, at), (at, length)))
        return Segment(first, self._sharing), Segment(second, self._sharing)

    def drop(self) -> None:
        """Free its memory; it must not be used any more."""
        self._sharing.discard(self)
        for other in list(self._sharing):
            other.layers = own(other.layers)
            other._sharing = WeakSet([other])


def can_cut(layer: Any, length: int) -> bool:
    """Whether the cache of `length` tokens can be cut anywhere."""
    return type(layer) in _CUTTABLE and (layer.keys is None or layer.offset == length)


def cut(layers: Sequence[Any], start: int, end: int) -> Cache:
    """The tokens from `start` to `end` of each layer, as a view of the same memory."""
    return [None if layer is None else _cut(layer, start, end) for layer in layers]


def own(layers: Sequence[Any]) -> Cache:
    """The same with arrays of their own, evaluated layer by layer so that little memory is needed twice."""
    copies: Cache = []
    for layer in layers:
        if layer is not None:
            keys, values = _map(mx.contiguous, layer.keys), _map(mx.contiguous, layer.values)
            mx.eval(keys, values)
            layer = _like(layer, keys, values, layer.offset)
        copies.append(layer)
    return copies


def join(parts: Sequence[Sequence[Any]], length: int) -> Cache:
    """The first `length` tokens of consecutive parts, as caches that can be written to; not evaluated.

    The last part may be longer: its caches are trimmed.
    """
    return [_join(layers, length) for layers in zip(*parts, strict=True)]


def _cut(layer: Any, start: int, end: int) -> Any:
    keys, values = (_map(lambda array: array[..., start:end, :], x) for x in (layer.keys, layer.values))
    return _like(layer, keys, values, 0 if layer.keys is None else end - start)


def _join(layers: Sequence[Any], length: int) -> Any:
    first = layers[0]
    if first is None:
        return None
    if first.keys is None or len(layers) == 1:
        return _like(first, first.keys, first.values, min(first.offset, length))
    keys, values = (_concatenate([getattr(layer, name) for layer in layers]) for name in ("keys", "values"))
    return _like(first, keys, values, length)


def _concatenate(arrays: list[Any]) -> Any:
    if isinstance(arrays[0], tuple | list):  # packed numbers, scales and biases
        return tuple(mx.concatenate(list(part), axis=2) for part in zip(*arrays, strict=True))
    return mx.concatenate(arrays, axis=2)


def _map(change: Any, arrays: Any) -> Any:
    if arrays is None:
        return None
    return tuple(map(change, arrays)) if isinstance(arrays, tuple | list) else change(arrays)


def _like(layer: Any, keys: Any, values: Any, offset: int) -> Any:
    """A cache of the same type with these contents."""
    made: Any = KVCache()
    if isinstance(layer, QuantizedKV):
        made = QuantizedKV(layer.layout)
    elif isinstance(layer, QuantizedKVCache):
        made = QuantizedKVCache(layer.group_size, layer.bits)
    made.keys, made.values, made.offset = keys, values, offset
    return made
