"""A batch's KV cache whose rows may end in different places, so that each is rolled back by itself."""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import BatchKVCache

_MAX_SLACK = 128  # unused places behind a row; beyond that the rows are aligned, which copies them


class RaggedKVCache(BatchKVCache):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's BatchKVCache with an end for each row.

    There all rows end at `_idx`, and only a copy of a row could move its end. Here row b occupies the places
    `left_padding[b]` to `_idx - slack[b]`, and `_idx` is the end of the longest reaching row. Rows are rolled
    back by moving their ends; what lies behind an end is masked, and overwritten by the next tokens.
    `offset` stays what it is there: the number of tokens of each row, which are its positions.
    """

    keys: Any
    values: Any
    offset: mx.array
    _idx: int

    def __init__(self, left_padding: list[int]) -> None:
        super().__init__(left_padding)
        self._slack = [0] * len(left_padding)
        self._ends: mx.array | None = None  # (B,) ends of the rows; None while all end at `_idx`

    @classmethod
    def of(cls, cache: BatchKVCache) -> "RaggedKVCache":
        """The same cache, whose arrays it takes over."""
        if isinstance(cache, cls):
            return cache
        ragged = cls([0] * cache.offset.shape[0])
        ragged.state = cache.state
        return ragged

    @property
    def is_ragged(self) -> bool:
        """Whether the rows end in different places."""
        return self._ends is not None

    def roll_back(self, kept: Sequence[int], width: int, kept_array: mx.array | None = None) -> None:
        """Keep the first kept[b] of the last `width` tokens of each row b; nothing is copied.

        `kept_array` is the same as an array of int32, for caches that share it.
        """
        array = mx.array(list(kept), dtype=mx.int32) if kept_array is None else kept_array
        ends = [self._idx - slack - width + count for slack, count in zip(self._slack, kept, strict=True)]
        self._idx = max(ends)
        self._slack = [self._idx - end for end in ends]
        self.offset = self.offset + (array - width)
        self._ends = mx.array(ends, dtype=mx.int32) if any(self._slack) else None
        if max(self._slack) > _MAX_SLACK:
            self.align()

    def align(self) -> None:
        """Move each row to the right, so that all end at `_idx` again; copies the rows."""
        if self._ends is None:
            return
        self._right_padding = mx.array(self._slack, dtype=mx.int32)
        self.keys, self.values = self.keys[..., : self._idx, :], self.values[..., : self._idx, :]
        offset = self.offset
        self.finalize()
        self.offset = offset  # finalize expects offsets that count the padding
        self._slack, self._ends = [0] * len(self._slack), None

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> Any:
        """Append (B, heads, L, size) behind the end of each row; returns all keys and values up to `_idx`."""
        if self._ends is None:
            return super().update_and_fetch(keys, values)
        length = keys.shape[2]
        self._reserve(self._idx + length)
        places = (self._ends[:, None] + mx.arange(length))[:, None, :, None]
        self.keys = mx.put_along_axis(self.keys, mx.broadcast_to(places, keys.shape), keys, axis=2)
        self.values = mx.put_along_axis(self.values, mx.broadcast_to(places, values.shape), values, axis=2)
        self._ends = self._ends + length
        self.offset = self.offset + length
        self._idx += length
        return self.keys_and_values()

    def _reserve(self, end: int) -> None:
        """Have places up to `end`."""
        missing = end - self.keys.shape[2]
        if missing <= 0:
            return
        padding = [(0, 0), (0, 0), (0, -(-missing // self.step) * self.step), (0, 0)]
        self.keys, self.values = mx.pad(self.keys, padding), mx.pad(self.values, padding)

    def make_mask(
        self, N: int, return_array: bool = False, window_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Which places each of the next N tokens of a row attends to: bool (B, 1, N, places)."""
        if self._ends is None:
            return super().make_mask(N, return_array=return_array, window_size=window_size, **kwargs)
        own = (self._ends[:, None] + mx.arange(N))[:, None, :, None]
        places = mx.arange(self._idx + N)
        mask = (places <= own) & (places >= mx.expand_dims(self.left_padding, (1, 2, 3)))
        return mask if window_size is None else mask & (own < places + window_size)

    def trim(self, n: int) -> int:
        self.align()
        return int(super().trim(n))

    def filter(self, batch_indices: list[int]) -> None:
        super().filter(batch_indices)
        slack = [self._slack[row] for row in batch_indices]
        least = min(slack)
        self._idx -= least
        self._slack = [one - least for one in slack]
        ends = [self._idx - one for one in self._slack]
        self._ends = mx.array(ends, dtype=mx.int32) if any(self._slack) else None

    def extend(self, other: BatchKVCache) -> None:
        self.align()
        if isinstance(other, RaggedKVCache):
            other.align()
        super().extend(other)
        self._slack = [0] * self.offset.shape[0]

    def extract(self, idx: int) -> Any:
        """A copy of one row, as a cache of its own."""
        end = self._idx
        self._idx -= self._slack[idx]
        row = super().extract(idx)
        self._idx = end
        return row


def can_roll_back(caches: Sequence[Any]) -> bool:
    """Whether all of these caches of a batch can be rolled back row by row."""
    return bool(caches) and all(type(layer) in (BatchKVCache, RaggedKVCache) for layer in caches)


def ragged(caches: Sequence[BatchKVCache]) -> list[RaggedKVCache]:
    """The same caches, able to be rolled back."""
    return [RaggedKVCache.of(layer) for layer in caches]


def roll_back(caches: Sequence[RaggedKVCache], kept: Sequence[int], width: int) -> None:
    """Keep the first kept[b] of the last `width` tokens of each row b in the caches of all layers."""
    array = mx.array(list(kept), dtype=mx.int32)
    for layer in caches:
        layer.roll_back(kept, width, array)
