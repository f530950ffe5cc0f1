"""A model that computes nothing: its logits are the same at every step. For measurements."""

from typing import Any, Self

import mlx.core as mx
import mlx.nn as nn


class FreeModel(nn.Module):  # type: ignore[misc]  # mlx is not typed
    """Random logits for at most `rows` rows, computed once; inputs (B, L) to logits (B, 1, V)."""

    def __init__(self, rows: int, vocabulary: int) -> None:
        super().__init__()
        self._logits = 3 * mx.random.normal((rows, 1, vocabulary), key=mx.random.key(0))
        mx.eval(self._logits)
        self._of_rows: dict[int, mx.array] = {}

    def make_cache(self) -> list["FreeCache"]:
        return [FreeCache()]

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        rows = inputs.shape[0]
        if rows not in self._of_rows:
            self._of_rows[rows] = mx.contiguous(self._logits[:rows])
            mx.eval(self._of_rows[rows])
        return self._of_rows[rows]


class FreeCache:
    """A cache of nothing, alone or in a batch."""

    nbytes = 0
    state: tuple[()] = ()

    @classmethod
    def merge(cls, caches: Any) -> Self:
        return cls()

    def extend(self, other: Any) -> None:
        """There is nothing to extend."""

    def filter(self, keep: Any) -> None:
        """There is nothing to filter."""

    def extract(self, index: int) -> Self:
        return type(self)()

    def prepare(self, **padding: Any) -> None:
        """There is nothing to pad."""

    def finalize(self) -> None:
        """There is nothing to pad."""
