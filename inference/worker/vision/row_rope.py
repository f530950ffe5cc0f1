"""M-RoPE, row by row: rotary positions of three coordinates, in a text model that knows plain ones.

Each pair of numbers of a head is turned by the time, the row or the column of its token. Tokens of texts have
the same in all three, so that a pass without pictures is the model's own fast kernel, counted on by what the
pictures before it take less than they have tokens. Only a chunk of a prompt with a picture in it is turned
here.
"""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from inference.worker.vision.rows import Pass, current

_ATTENTION, _NAME = "self_attn", "rope"


class NoRope(Exception):
    """The model has other rotary positions than mlx-lm gives all of its models with vision."""


class Turning:
    """How far each pair of numbers turns for a token: by one of its coordinates times a frequency."""

    def __init__(self, axes: Sequence[int], rope: nn.RoPE) -> None:
        self._axes = mx.array(list(axes))
        exponents = np.arange(0, rope.dims, 2) / rope.dims
        self._frequencies = mx.array((rope.scale * rope.base**-exponents).astype(np.float32))

    def of(self, rows: Pass, length: int) -> tuple[mx.array, mx.array]:
        """Cosines and sines, (B, 1, length, pairs), which all layers of a pass share."""
        return rows.once((self, length), lambda: self._turned(rows.coordinates(length)))

    def _turned(self, coordinates: mx.array) -> tuple[mx.array, mx.array]:
        chosen = mx.take(coordinates, self._axes, axis=1).transpose(0, 2, 1)  # (B, length, pairs)
        angles = chosen.astype(mx.float32)[:, None] * self._frequencies
        return mx.cos(angles), mx.sin(angles)


class RowRope(nn.RoPE):  # type: ignore[misc]  # MLX's Module is not typed
    """A RoPE that takes its positions from the forward pass, where that has pictures."""

    turning: Turning

    def __call__(self, x: mx.array, offset: int | mx.array = 0) -> mx.array:
        """Queries or keys (B, heads, T, size), turned; `offset`, an int or (B,), is where rows begin."""
        rows = current()
        if rows is None:
            return super().__call__(x, offset=offset)  # type: ignore[no-any-return]
        length = x.shape[2]
        shift = rows.shift(length)
        if shift is None:
            return _turn(x, *self.turning.of(rows, length))
        return super().__call__(x, offset=offset + shift)  # type: ignore[no-any-return]


def install(model: nn.Module, sections: Sequence[int], *, is_interleaved: bool) -> None:
    """Have the attention of all layers turn by row; raises NoRope.

    `sections` says how many pairs of numbers turn by time, row and column.
    """
    modules: dict[str, Any] = dict(model.named_modules())
    names = [path for path in modules if path.rpartition(".")[2] == _ATTENTION]
    found: list[Any] = [modules.get(f"{name}.{_NAME}") for name in names]
    if not found or any(type(one) is not nn.RoPE for one in found):
        raise NoRope(f"the model's {_ATTENTION} has no {_NAME} that is plain")
    for rope in found:
        if rope.traditional or rope.dims != 2 * sum(sections):
            raise NoRope(f"its {_NAME} turns {rope.dims} numbers, not {2 * sum(sections)}")
    turning = Turning(axes_of(sections, is_interleaved=is_interleaved), found[0])
    for rope in found:
        rope.__class__ = RowRope
        rope.turning = turning


def axes_of(sections: Sequence[int], *, is_interleaved: bool) -> list[int]:
    """Which coordinate turns each pair of numbers: 0 time, 1 row, 2 column.

    Sections lie one behind the other, or alternate for as long as rows and columns have pairs left.
    """
    if not is_interleaved:
        return [axis for axis, count in enumerate(sections) for _ in range(count)]
    axes = [0] * sum(sections)
    for axis in (1, 2):
        for pair in range(axis, min(3 * sections[axis], len(axes)), 3):
            axes[pair] = axis
    return axes


def _turn(x: mx.array, cosines: mx.array, sines: mx.array) -> mx.array:
    pairs = cosines.shape[-1]
    first, second, rest = x[..., :pairs], x[..., pairs : 2 * pairs], x[..., 2 * pairs :]
    turned = mx.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)
    return mx.concatenate([turned.astype(x.dtype), rest], axis=-1)
