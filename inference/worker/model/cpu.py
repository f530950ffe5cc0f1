"""Prepares a model for a CPU: fp32 weights, laid out for a small number of rows.

Half precision and quantised kernels are scalar code on a CPU, 20 to 60 times slower than a BLAS in fp32.
"""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.nn.layers.distributed import (
    AllToShardedLinear,
    QuantizedAllToShardedLinear,
    QuantizedShardedToAllLinear,
    ShardedToAllLinear,
)
from mlx.utils import tree_unflatten
from mlx_lm.utils import dequantize_model

from inference.core.cpu_tuning import ShapeClass, shape_class

_SHARDED = QuantizedAllToShardedLinear | QuantizedShardedToAllLinear
_ROWS = 512  # unpacked together: their floats fit into the cache

Floats = np.ndarray[Any, np.dtype[np.float32]]
Packed = np.ndarray[Any, np.dtype[np.uint32]]


def prepared(
    model: nn.Module, on_progress: Callable[[int], None], by_row: frozenset[ShapeClass] = frozenset()
) -> nn.Module:
    """The model in fp32, by column but for weights of the classes `by_row`.

    `on_progress` gets the percentage of quantised layers done.
    """
    found = [(name, layer) for name, layer in model.named_modules() if _can_unpack(layer)]
    plain: list[tuple[str, nn.Module]] = []
    for done, (name, layer) in enumerate(found, start=1):
        plain.append((name, _plain(layer)))
        on_progress(99 * done // len(found))
    model.update_modules(tree_unflatten(plain))
    model = dequantize_model(model)  # the rarer kinds of quantisation
    model.set_dtype(mx.float32)
    for _, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Embedding | AllToShardedLinear | ShardedToAllLinear):
            layer.weight = laid_out(layer.weight, by_row)
    return model


def laid_out(weight: mx.array, by_row: frozenset[ShapeClass]) -> mx.array:
    """The same matrix (outputs, inputs) in the layout of its class."""
    outputs, inputs = weight.shape
    return mx.contiguous(weight) if shape_class(outputs, inputs) in by_row else by_column(weight)


def by_column(weight: mx.array) -> mx.array:
    """The same matrix (rows, columns) with a contiguous transpose.

    A decode step multiplies a few rows by the transpose of a weight; a BLAS does that from the contiguous
    transpose up to a third faster (docs/performance.md).
    """
    return mx.contiguous(weight.T).T


def dequantised(packed: mx.array, scales: mx.array, biases: mx.array, *, bits: int, group: int) -> mx.array:
    """The fp32 matrix (rows, columns) of an affine quantisation to 4 or 8 bits, laid out by column.

    Four times faster than mx.dequantize on a CPU, which unpacks value by value.
    """
    words: Packed = np.array(packed, copy=False)
    steps, starts = (np.array(array.astype(mx.float32)) for array in (scales, biases))
    matrix = mx.zeros((scales.shape[1] * group, words.shape[0]), mx.float32)
    mx.eval(matrix)
    columns: Floats = np.array(matrix, copy=False)  # a view of MLX's memory: a copy would double the peak
    for start in range(0, words.shape[0], _ROWS):
        rows = slice(start, start + _ROWS)
        columns[:, rows] = _unpacked(words[rows], steps[rows], starts[rows], bits, group).T
    return matrix.T


def _unpacked(words: Packed, steps: Floats, starts: Floats, bits: int, group: int) -> Floats:
    octets = words.view(np.uint8)  # little-endian, as every machine MLX runs on
    values = np.empty((octets.shape[0], octets.shape[1] * 8 // bits), np.float32)
    if bits == 8:
        values[:] = octets
    else:
        np.bitwise_and(octets, 15, out=values[:, 0::2], casting="unsafe")
        np.right_shift(octets, 4, out=values[:, 1::2], casting="unsafe")
    groups = values.reshape(len(values), -1, group)
    groups *= steps[:, :, None]
    groups += starts[:, :, None]
    return values


def _can_unpack(layer: nn.Module) -> bool:
    is_known = isinstance(layer, nn.QuantizedLinear | nn.QuantizedEmbedding | _SHARDED)
    return is_known and layer.bits in {4, 8} and layer.mode == "affine"


def _plain(layer: nn.Module) -> nn.Module:
    weight = dequantised(layer.weight, layer.scales, layer.biases, bits=layer.bits, group=layer.group_size)
    plain = _empty(layer)
    plain.weight = weight
    if "bias" in layer:
        plain.bias = layer.bias
    return plain


def _empty(layer: nn.Module) -> nn.Module:
    """A layer of the same kind, not quantised, whose weight is replaced next."""
    match layer:
        case nn.QuantizedEmbedding():
            return nn.Embedding(1, 1)
        case QuantizedAllToShardedLinear(group=group):
            return AllToShardedLinear(group.size(), group.size(), "bias" in layer, group)
        case QuantizedShardedToAllLinear(group=group):
            return ShardedToAllLinear(group.size(), group.size(), "bias" in layer, group)
    return nn.Linear(1, 1, bias="bias" in layer)
