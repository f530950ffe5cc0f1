"""A batch's KV cache whose rows may end in different places, so that each is rolled back by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import BatchKVCache, _BaseCache

from inference.worker.kv_quantization.packed_numbers import Packed, mapped
from inference.worker.kv_quantization.quantized_kv import BatchQuantizedKV

_MAX_SLACK = 128  # unused places behind a row; beyond that the rows are aligned, which copies them


class RaggedRows(_BaseCache):  # type: ignore[misc]  # mlx-lm is not typed
    """An end for each row, for a batch's cache in which all rows end at `_idx`.

    There only a copy of a row could move its end. Here row b occupies the places `left_padding[b]` to
    `_idx - slack[b]`, and `_idx` is the end of the longest reaching row. Rows are rolled back by moving their
    ends; what lies behind an end is masked, and overwritten by the next tokens. `offset` stays what it is
    there: the number of tokens of each row, which are its positions.
    """

    offset: mx.array
    left_padding: mx.array
    _idx: int
    _right_padding: mx.array | None
    _slack: list[int]
    _ends: mx.array | None = None  # (B,) ends of the rows; None while all end at `_idx`

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
        self._change(lambda array: array[..., : self._idx, :])
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
        self._put((self._ends[:, None] + mx.arange(length))[:, None, :, None], keys, values)
        self._ends = self._ends + length
        self.offset = self.offset + length
        self._idx += length
        return self.keys_and_values()

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

    def extend(self, other: Any) -> None:
        self.align()
        if isinstance(other, RaggedRows):
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

    def _reserve(self, end: int) -> None:
        """Have places up to `end`."""
        self._change(lambda array: _padded(array, end))

    # What the cache has of its own.

    def _change(self, change: Callable[[mx.array], mx.array]) -> None:
        """Replace each array of keys and values."""
        raise NotImplementedError

    def _put(self, places: mx.array, keys: mx.array, values: mx.array) -> None:
        """Write new keys and values to `places`, (B, 1, L, 1)."""
        raise NotImplementedError


class RaggedKVCache(RaggedRows, BatchKVCache):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's BatchKVCache with an end for each row."""

    keys: Any
    values: Any

    def __init__(self, left_padding: list[int]) -> None:
        super().__init__(left_padding)
        self._slack = [0] * len(left_padding)

    @classmethod
    def of(cls, cache: BatchKVCache) -> "RaggedKVCache":
        """The same cache, whose arrays it takes over."""
        ragged = cls([0] * cache.offset.shape[0])
        ragged.state = cache.state
        return ragged

    def _change(self, change: Callable[[mx.array], mx.array]) -> None:
        self.keys, self.values = change(self.keys), change(self.values)

    def _put(self, places: mx.array, keys: mx.array, values: mx.array) -> None:
        self.keys, self.values = _with(self.keys, places, keys), _with(self.values, places, values)


class RaggedQuantizedKV(RaggedRows, BatchQuantizedKV):
    """A BatchQuantizedKV with an end for each row."""

    @classmethod
    def of(cls, cache: BatchQuantizedKV) -> "RaggedQuantizedKV":
        """The same cache, whose arrays it takes over."""
        ragged = cls(cache.layout, [0] * cache.offset.shape[0])
        ragged.state = cache.state
        ragged._slack = [0] * cache.offset.shape[0]
        return ragged

    def _change(self, change: Callable[[mx.array], mx.array]) -> None:
        self.keys, self.values = (mapped(change, arrays) for arrays in self._arrays)

    def _put(self, places: mx.array, keys: mx.array, values: mx.array) -> None:
        kept_keys, kept_values = self._arrays
        self.keys = _packed_with(kept_keys, places, self.layout.packed(keys))
        self.values = _packed_with(kept_values, places, self.layout.packed(values))


Ragged = RaggedKVCache | RaggedQuantizedKV
_RAGGED: dict[type[Any], type[Any]] = {BatchKVCache: RaggedKVCache, BatchQuantizedKV: RaggedQuantizedKV}


def can_roll_back(caches: Sequence[Any]) -> bool:
    """Whether all of these caches of a batch can be rolled back row by row."""
    return bool(caches) and all(isinstance(one, RaggedRows) or type(one) in _RAGGED for one in caches)


def ragged(caches: Sequence[Any]) -> list[Ragged]:
    """The same caches, able to be rolled back."""
    return [one if isinstance(one, RaggedRows) else _RAGGED[type(one)].of(one) for one in caches]


def roll_back(caches: Sequence[Ragged], kept: Sequence[int], width: int) -> None:
    """Keep the first kept[b] of the last `width` tokens of each row b in the caches of all layers."""
    array = mx.array(list(kept), dtype=mx.int32)
    for layer in caches:
        layer.roll_back(kept, width, array)


def _padded(array: mx.array, end: int) -> mx.array:
    """The array, or one with more places, up to `end` at least."""
    missing = end - array.shape[2]
    if missing <= 0:
        return array
    step: int = BatchKVCache.step
    return mx.pad(array, [(0, 0), (0, 0), (0, -(-missing // step) * step), (0, 0)])


def _with(array: mx.array, places: mx.array, new: mx.array) -> mx.array:
    """The array (B, heads, T, size) with other numbers at some places of each row."""
    return mx.put_along_axis(array, mx.broadcast_to(places, new.shape), new, axis=2)


def _packed_with(packed: Packed, places: mx.array, new: Packed) -> Packed:
    """The same of packed numbers."""
    words, scales, biases = (
        _with(array, places, numbers) for array, numbers in zip(packed, new, strict=True)
    )
    return words, scales, biases
