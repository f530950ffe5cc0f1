"""Quantised KV caches: of one sequence, and of a batch whose rows have unequal lengths.

mlx-lm's QuantizedKVCache cannot become a row of a batch. A QuantizedKV can: `merge` makes a batch of several,
and `extract` of the batch makes one of a row. The interfaces are those of mlx-lm's KVCache and BatchKVCache,
which its BatchGenerator uses. Numbers are packed once, when they are appended, and moved as they are: a row
of a batch has the numbers that it has alone, to the last bit.
"""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import create_attention_mask, create_causal_mask, dynamic_roll

from inference.worker.kv_quantization.packed_kv import KeysAndValues, PackedKV
from inference.worker.kv_quantization.packed_numbers import (
    Packed,
    PackedLayout,
    empty_like,
    joined,
    mapped,
    padded,
)


class QuantizedKV(PackedKV):
    """The cache of one sequence, with the interface of mlx-lm's KVCache."""

    def __init__(self, layout: PackedLayout) -> None:
        super().__init__(layout)
        self.offset = 0

    @property
    def length(self) -> int:
        return self.offset

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> KeysAndValues:
        """Append keys and values of new tokens, (1, heads, t, D); returns those of all tokens."""
        self._append(keys, values)
        self.offset += keys.shape[2]
        return self.keys_and_values()

    def make_mask(self, *args: Any, **kwargs: Any) -> Any:
        return create_attention_mask(*args, offset=self.offset, **kwargs)

    def trim(self, n: int) -> int:
        """Drop the last `n` tokens; returns how many there were to drop."""
        n = min(self.offset, n)
        self.offset -= n
        return n

    @property
    def state(self) -> tuple[Any, ...]:
        layout = self.layout
        return self.keys, self.values, self.offset, layout.bits, layout.group_size, layout.is_fused

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        # From a file, tuples are lists and numbers may be floats.
        keys, values, offset, bits, group_size, is_fused = state
        self.keys, self.values = (tuple(packed) if packed else None for packed in (keys, values))
        self.offset = int(offset)
        self.layout = PackedLayout(int(bits), int(group_size), bool(is_fused))

    @classmethod
    def merge(cls, caches: Sequence["QuantizedKV"]) -> "BatchQuantizedKV":
        """A batch with a row for each of these caches, which stay as they are."""
        return BatchQuantizedKV.merge(caches)


class BatchQuantizedKV(PackedKV):
    """Rows (B, heads, T, ...) that end together; row b begins after `left_padding[b]` tokens.

    `offset`, (B,) int32, is the position of each row's next token: the length without the padding.
    """

    def __init__(self, layout: PackedLayout, left_padding: Sequence[int]) -> None:
        super().__init__(layout)
        self.left_padding = mx.array(list(left_padding))
        self.offset = -self.left_padding
        self._idx = 0
        self._right_padding: mx.array | None = None

    @property
    def length(self) -> int:
        return self._idx

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> KeysAndValues:
        """Append keys and values of each row's new tokens, (B, heads, t, D); returns those of all tokens."""
        self._append(keys, values)
        self.offset = self.offset + keys.shape[2]
        self._idx += keys.shape[2]
        return self.keys_and_values()

    def make_mask(self, N: int, return_array: bool = False, **kwargs: Any) -> Any:
        return create_causal_mask(N, offset=self._idx, left_padding=self.left_padding, **kwargs)

    def prepare(
        self,
        *,
        left_padding: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        right_padding: Sequence[int] | None = None,
    ) -> None:
        """Announce a chunk whose rows are padded; `finalize` follows a right-padded one.

        Raises ValueError for left padding of a cache that is not empty.
        """
        if left_padding is not None:
            if self.keys is not None:
                raise ValueError("Left padding can only be added to an empty cache.")
            self.left_padding = self.left_padding + mx.array(list(left_padding))
            self.offset = self.offset - mx.array(list(left_padding))
        if right_padding is not None and max(right_padding) > 0:
            self._right_padding = mx.array(list(right_padding))

    def finalize(self) -> None:
        """Move the right padding of the last chunk to the left of each row."""
        if self._right_padding is not None:
            self._shift(self._right_padding)
            self._right_padding = None

    def trim(self, n: int) -> int:
        """Drop the last `n` tokens of every row; returns how many there were to drop."""
        n = min(self._idx, n)
        self._idx -= n
        self.offset = self.offset - n
        return n

    def filter(self, rows: Any) -> None:
        """Keep only these rows, and the padding that they need."""
        if self.keys is not None:
            self.keys, self.values = (mapped(lambda array: array[rows], arrays) for arrays in self._arrays)
        self.offset, self.left_padding = self.offset[rows], self.left_padding[rows]
        superfluous = int(self.left_padding.min().item())  # type: ignore[arg-type]
        if superfluous <= 0:
            return
        if self.keys is not None:
            self.keys, self.values = (
                mapped(lambda array: array[..., superfluous:, :], arrays) for arrays in self._arrays
            )
        self._idx -= superfluous
        self.left_padding = self.left_padding - superfluous

    def extend(self, other: "BatchQuantizedKV") -> None:
        """Append the rows of another batch; the shorter of the two gets padding."""
        length = max(self._idx, other._idx)
        filled = self if self.keys is not None else other
        if filled.keys is not None:
            keys, values = filled._arrays
            tokens = max(length, *(batch._capacity for batch in (self, other)))
            mine, others = (batch._padded(keys, values, length, tokens) for batch in (self, other))
            self.keys, self.values = (joined(batches) for batches in zip(mine, others, strict=True))
        self.left_padding = mx.concatenate(
            [batch.left_padding + (length - batch._idx) for batch in (self, other)]
        )
        self.offset = mx.concatenate([self.offset, other.offset])
        self._idx = length

    def extract(self, row: int) -> QuantizedKV:
        """A copy of one row without its padding, (1, heads, t, ...)."""
        cache = QuantizedKV(self.layout)
        start = int(self.left_padding[row].item())  # type: ignore[arg-type]
        part = (slice(row, row + 1), slice(None), slice(start, self._idx))
        cache.keys, cache.values = (
            mapped(lambda array: mx.contiguous(array[part]), arrays) for arrays in self._arrays
        )
        cache.offset = self._idx - start
        return cache

    @classmethod
    def merge(cls, caches: Sequence[QuantizedKV]) -> "BatchQuantizedKV":
        """A batch with a row for each of these caches, which are copied."""
        length = max(cache.offset for cache in caches)
        merged = cls(caches[0].layout, [length - cache.offset for cache in caches])
        filled = [(row, cache) for row, cache in enumerate(caches) if cache.offset]
        if filled:
            keys, values = (empty_like(packed, len(caches), length) for packed in filled[0][1]._arrays)
            for row, cache in filled:
                for batch, own in zip((keys, values), cache._arrays, strict=True):
                    for array, numbers in zip(batch, own, strict=True):
                        array[row : row + 1, :, length - cache.offset :] = numbers[..., : cache.offset, :]
            merged.keys, merged.values = keys, values
        merged.offset, merged._idx = merged.offset + length, length
        return merged

    @property
    def state(self) -> tuple[Any, ...]:
        layout = self.layout
        own = (self.offset, self.left_padding, self._idx)
        return self.keys, self.values, *own, layout.bits, layout.group_size, layout.is_fused

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        self.keys, self.values, self.offset, self.left_padding, self._idx, *layout = state
        self.layout = PackedLayout(*layout)
        self._right_padding = None

    def _shift(self, rows: mx.array) -> None:
        """Move row b by `rows[b]` tokens to the right; the last ones become padding on the left."""
        if self.keys is not None:
            self.keys, self.values = (
                mapped(lambda array: dynamic_roll(array, rows[:, None], axis=2), arrays)
                for arrays in self._arrays
            )
        self.offset = self.offset - rows
        self.left_padding = self.left_padding + rows

    @property
    def _capacity(self) -> int:
        return self.keys[0].shape[2] if self.keys else 0

    def _padded(self, keys: Packed, values: Packed, length: int, tokens: int) -> tuple[Packed, Packed]:
        """The arrays, or empty ones like those given, with the last token at `length` of `tokens`."""
        if self.keys is not None:
            keys, values = self._arrays
        else:
            keys, values = (empty_like(packed, self.offset.shape[0], 0) for packed in (keys, values))
        left = length - self._idx
        right = tokens - keys[0].shape[2] - left
        return padded(keys, left, right), padded(values, left, right)
