"""Constants of a graph: arrays that are made once and have the shape that they are used in.

A step's graph is built again for every token, and each operation in it takes the engine's thread a few
microseconds, whatever its size. An operand of another shape, or a number of Python, adds one operation, which
gives it the shape of the other operand. These arrays add none, and take no more memory than their values.
"""

from collections.abc import Sequence
from functools import lru_cache

import mlx.core as mx


@lru_cache(maxsize=128)
def constant(value: float, shape: tuple[int, ...], dtype: mx.Dtype = mx.float32) -> mx.array:
    """An array with the same value everywhere."""
    return _made(mx.array(value, dtype), shape)


def column(values: Sequence[float], width: int, *, neutral: float) -> mx.array | None:
    """A float32 array (R, width) with a value for each row; None if each of them is `neutral`."""
    if all(value == neutral for value in values):
        return None
    return _made(mx.array([[value] for value in values], mx.float32), (len(values), width))


def _made(values: mx.array, shape: tuple[int, ...]) -> mx.array:
    array = mx.broadcast_to(values, shape)
    mx.eval(array)  # an unevaluated array would belong to the thread that made it
    return array
