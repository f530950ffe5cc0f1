"""Keys and values in 8 or 4 bits: groups of number of weights that share a scale and a bias.

The layout is that of mx.quantize. An array (B, heads, T, D) becomes three, all (B, heads, T, ...): words of
D * bits / 32 uint32, and D / group_size scales and biases in the type of the array. Beside its bits a number
therefore costs 32 / group_size bits in half precision, and 64 / group_size in fp32.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx

GROUP_SIZES = (64, 32)  # the sizes that mx.quantize has and that divide the heads of common models
_GROWTH = 256  # tokens that are allocated together, as in mlx-lm's caches

Packed = tuple[mx.array, mx.array, mx.array]  # words, scales, biases


@dataclass(frozen=True)
class PackedLayout:
    """How numbers are packed, and how attention reads them.

    `is_fused`: attention multiplies by the packed numbers (mlx-lm's quantized_scaled_dot_product_attention).
    Otherwise it is given them as unpacked arrays, which every model can use.
    """

    bits: int
    group_size: int
    is_fused: bool = False

    def packed(self, numbers: mx.array) -> Packed:
        """The numbers (B, heads, T, D); D is a multiple of the group size."""
        words, scales, biases = mx.quantize(numbers, group_size=self.group_size, bits=self.bits)
        return words, scales, biases

    def unpacked(self, packed: Packed) -> mx.array:
        """The numbers (B, heads, T, D) in the type of the scales, each within half a step of what it was."""
        if mx.default_device().type != mx.DeviceType.cpu:
            return mx.dequantize(*packed, group_size=self.group_size, bits=self.bits)
        # mx.dequantize unpacks value by value on a CPU, 2 to 8 times slower than whole arrays.
        words, scales, biases = packed
        octets = mx.view(words, mx.uint8)  # little-endian, as every machine MLX runs on
        if self.bits == 4:
            octets = mx.flatten(mx.stack([octets & 15, octets >> 4], axis=-1), -2)
        values = mx.unflatten(octets.astype(scales.dtype), -1, (-1, self.group_size))
        return mx.flatten(values * scales[..., None] + biases[..., None], -2)


def group_size_for(*head_sizes: int) -> int:
    """The largest group size that divides these head sizes; 0 if there is none."""
    sizes = (size for size in GROUP_SIZES if all(head and head % size == 0 for head in head_sizes))
    return next(sizes, 0)


def mapped(change: Callable[[mx.array], mx.array], packed: Packed) -> Packed:
    """The three arrays, each changed in the same way."""
    words, scales, biases = packed
    return change(words), change(scales), change(biases)


def appended(kept: Packed | None, new: Packed, length: int) -> Packed:
    """`kept`, of which the first `length` tokens count, with `new` behind them; it grows in large blocks."""
    end = length + new[0].shape[2]
    if kept is None or end > kept[0].shape[2]:
        kept = _grown(kept, new, length)
    for array, addition in zip(kept, new, strict=True):
        array[..., length:end, :] = addition
    return kept


def padded(packed: Packed, left: int, right: int) -> Packed:
    """The arrays with so many empty tokens before and behind theirs; a negative `right` removes some."""
    if right < 0:
        packed, right = mapped(lambda array: array[..., :right, :], packed), 0
    if not left and not right:
        return packed
    return mapped(lambda array: mx.pad(array, [(0, 0), (0, 0), (left, right), (0, 0)]), packed)


def joined(batches: Sequence[Packed]) -> Packed:
    """The rows of batches of equal length, one below the other."""
    words, scales, biases = (mx.concatenate(list(arrays)) for arrays in zip(*batches, strict=True))
    return words, scales, biases


def empty_like(packed: Packed, rows: int, tokens: int) -> Packed:
    """Arrays of zeros for so many rows and tokens, of the same heads and sizes."""
    return mapped(
        lambda array: mx.zeros((rows, array.shape[1], tokens, array.shape[3]), dtype=array.dtype), packed
    )


def _grown(kept: Packed | None, new: Packed, length: int) -> Packed:
    rows, _, tokens, _ = new[0].shape
    block = empty_like(new, rows, -(-tokens // _GROWTH) * _GROWTH)
    if kept is None:
        return block
    filled = mapped(lambda array: array[..., :length, :], kept)
    words, scales, biases = (mx.concatenate(list(pair), axis=2) for pair in zip(filled, block, strict=True))
    return words, scales, biases
