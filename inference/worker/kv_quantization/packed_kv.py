"""What the quantised KV caches of a sequence and of a batch have in common."""

import mlx.core as mx
from mlx_lm.models.cache import _BaseCache

from inference.worker.kv_quantization.packed_numbers import Packed, PackedLayout, appended, mapped

KeysAndValues = tuple[mx.array, mx.array] | tuple[Packed, Packed]


class PackedKV(_BaseCache):  # type: ignore[misc]  # mlx-lm is not typed
    """Packed keys and values, (B, heads, T, ...), of which the first `length` tokens count."""

    keys: Packed | None = None
    values: Packed | None = None

    def __init__(self, layout: PackedLayout) -> None:
        self.layout = layout

    @property
    def bits(self) -> int:
        """mlx-lm multiplies by packed numbers where a cache has this; AttributeError where it must not."""
        if not self.layout.is_fused:
            raise AttributeError("this cache hands out unpacked numbers")
        return self.layout.bits

    @property
    def group_size(self) -> int:
        return self.layout.group_size

    @property
    def length(self) -> int:
        """Tokens in the arrays, with a batch's padding."""
        raise NotImplementedError

    def keys_and_values(self) -> KeysAndValues:
        """What attention reads: packed with a fused layout, else unpacked arrays (B, heads, T, D)."""
        keys, values = (mapped(self._filled, packed) for packed in self._arrays)
        return (keys, values) if self.layout.is_fused else self._unpacked(keys, values)

    def size(self) -> int:
        return self.length

    def empty(self) -> bool:
        return self.keys is None

    def is_trimmable(self) -> bool:
        return True

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for packed in (self.keys, self.values) if packed for array in packed)

    @property
    def unpacked_bytes_per_token(self) -> int:
        """Bytes of the unpacked copy that attention reads for a moment; 0 with a fused layout.

        Of 4 bits, half as much again is taken while the halves of octets are put in order (measured).
        """
        if self.layout.is_fused:
            return 0
        scales = [packed[1] for packed in self._arrays]
        groups = sum(array.shape[1] * array.shape[3] * array.itemsize for array in scales)
        copy = groups * self.layout.group_size
        return copy * 3 // 2 if self.layout.bits == 4 else copy

    @property
    def _arrays(self) -> tuple[Packed, Packed]:
        if self.keys is None or self.values is None:
            raise ValueError("This cache is empty.")
        return self.keys, self.values

    def _append(self, keys: mx.array, values: mx.array) -> None:
        self.keys = appended(self.keys, self.layout.packed(keys), self.length)
        self.values = appended(self.values, self.layout.packed(values), self.length)

    def _filled(self, array: mx.array) -> mx.array:
        return array[..., : self.length, :]

    def _unpacked(self, keys: Packed, values: Packed) -> tuple[mx.array, mx.array]:
        return self.layout.unpacked(keys), self.layout.unpacked(values)
