"""Caches for tests of the prefix cache: each position holds a number that its tokens determine."""

from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import ArraysCache, KVCache, QuantizedKVCache, RotatingKVCache

from inference.worker.kv_quantization.packed_numbers import PackedLayout
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.prefix_cache.entry import Tokens


def sums(tokens: "list[int] | Tokens") -> Any:
    """What is stored at each position: it depends on all tokens up to there. (1, 1, T, 64) float32."""
    values = np.cumsum(np.array(tokens, np.int64) * (np.arange(len(tokens)) + 1)) % 8191
    return mx.broadcast_to(mx.array(values.astype(np.float32))[None, None, :, None], (1, 1, len(tokens), 64))


def plain(tokens: "list[int]") -> list[Any]:
    """Two layers that can be cut anywhere."""
    layers = [KVCache(), KVCache()]
    for layer in layers:
        layer.update_and_fetch(sums(tokens), sums(tokens) + 1)
        layer.keys, layer.values = layer.keys_and_values()
    return layers


def packed(tokens: "list[int]") -> list[Any]:
    """A layer of packed numbers, which can be cut, and a plain one."""
    layer = QuantizedKVCache(group_size=32, bits=8)
    layer.update_and_fetch(sums(tokens), sums(tokens))
    return [layer, *plain(tokens)[:1]]


def quantised(tokens: "list[int]") -> list[Any]:
    """A layer of packed numbers that can be a row of a batch, and a plain one."""
    layer = QuantizedKV(PackedLayout(bits=8, group_size=32))
    layer.update_and_fetch(sums(tokens), sums(tokens))
    return [layer, *plain(tokens)[:1]]


def windowed(tokens: "list[int]", window: int = 24) -> list[Any]:
    """A layer that can be cut, and a sliding window, which cannot once it has moved."""
    sliding = RotatingKVCache(max_size=window)
    sliding.update_and_fetch(sums(tokens), sums(tokens))
    return [plain(tokens)[0], sliding]


def recurrent(tokens: "list[int]") -> list[Any]:
    """A state at the last token, and a layer that can be cut."""
    state = ArraysCache(size=1)
    state[0] = sums(tokens)[:, 0, -1:, :]
    return [state, plain(tokens)[0]]


def contents(cache: list[Any]) -> list[Any]:
    """What caches hold, as lists of numbers."""
    return [_numbers(layer) for layer in cache]


def _numbers(layer: Any) -> Any:
    if isinstance(layer, ArraysCache):
        return np.array(layer[0]).tolist()
    keys, values = layer.keys_and_values()
    arrays = [*keys, *values] if isinstance(keys, tuple) else [keys, values]
    return [np.array(array).tolist() for array in arrays]
