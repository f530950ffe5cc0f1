"""Layers with experts that adapters change: each token by its row's adapter, and there by its experts.

Such a layer (mlx-lm's SwitchLinear) is called with an expert for each of its inputs. Its factors lie in
stacks, A (S, experts, inputs, rank) and B (S, experts, rank, outputs), and an input takes those of the place
`adapter x experts + expert`.

For many tokens mlx-lm's SwitchGLU and SwitchMLP sort the inputs by expert before they call their layers, and
the rows are found by the order in which they were sorted.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx.core as mx
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear

from inference.worker.lora.layers import Changed, Stack, as_type
from inference.worker.lora.rows import AdapterPlaces, Rows, current

EXPERTS = (SwitchLinear, QuantizedSwitchLinear)


class ChangedExperts(Changed):
    """A SwitchLinear or QuantizedSwitchLinear."""

    def __call__(self, x: mx.array, indices: mx.array, sorted_indices: bool = False) -> mx.array:
        """(..., 1, inputs) of the experts `indices` (...) to (..., 1, outputs); both shapes are broadcast."""
        y: mx.array = self._plain(x, indices, sorted_indices=sorted_indices)
        if (rows := current()) is None:
            return y
        for stack, places in self._used(rows):
            if places.alone is None:
                added = _of_rows(x, indices, stack, places, _rows_of(y, rows, is_sorted=sorted_indices))
            else:
                at = indices + places.alone * stack.a.shape[1]
                added = _products(x, stack, at, is_sorted=sorted_indices)
            y = y + as_type(y, added)
        return y


def _of_rows(x: mx.array, indices: mx.array, stack: Stack, places: AdapterPlaces, row: mx.array) -> mx.array:
    """The change of each input by the adapter of its row; 0 for one without an adapter."""
    at = places.indices[row] * stack.a.shape[1] + mx.broadcast_to(indices, row.shape).astype(mx.uint32)
    mask = None if places.mask is None else places.mask.flatten()[row][..., None, None]
    return _products(x, stack, at, mask=mask)


def _products(
    x: mx.array, stack: Stack, at: mx.array, *, is_sorted: bool = False, mask: mx.array | None = None
) -> mx.array:
    a, b = (factors.flatten(0, 1) for factors in (stack.a, stack.b))
    inner = mx.gather_mm(x, a, rhs_indices=at, sorted_indices=is_sorted)
    inner = inner if mask is None else mx.where(mask, inner, mx.zeros_like(inner))
    return mx.gather_mm(inner, b, rhs_indices=at, sorted_indices=is_sorted)


def _rows_of(y: mx.array, rows: Rows, *, is_sorted: bool) -> mx.array:
    """The row of each input of a layer, in the shape of the layer's experts; rows are consecutive."""
    shape = y.shape[:-2]
    inputs = math.prod(shape)
    order = rows.order if is_sorted else mx.arange(inputs)
    if order is None or order.size != inputs:
        raise RuntimeError("the order in which the inputs of the experts were sorted is not known")
    return (order // (inputs // len(rows))).reshape(shape)


def with_known_order(original: Callable[..., Any]) -> Callable[..., Any]:
    """mlx-lm's `_gather_sort`, which also notes the order of the inputs (N,) for layers with adapters."""

    @wraps(original)
    def gather_sort(x: mx.array, indices: mx.array) -> Any:
        made = original(x, indices)
        if rows := current():
            rows.order = mx.argsort(made[2])  # the inverse of the inverse
        return made

    return gather_sort
