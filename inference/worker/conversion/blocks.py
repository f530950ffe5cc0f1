"""GGUF's quantised blocks as MLX's affine groups of 32 weights: codes, a scale and a bias.

Most types are such groups already and keep their codes. Q2_K, Q3_K and Q6_K have a scale for every 16
weights, which MLX does not support, and are quantised again. The layouts are those of
https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

GROUP_SIZE = 32
_FOUR = np.uint8(4)  # a shift by four bits; as uint8, so that the result is uint8
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


class Groups(NamedTuple):
    """Weights as code * scale + bias: codes (rows, columns), scales and biases (rows, columns / 32)."""

    codes: Bytes
    scales: NDArray[np.float16]
    biases: NDArray[np.float16]


def bits_of(kind: str) -> int:
    """The bits of a code in MLX for a GGUF type."""
    return _KINDS[kind][0]


def is_packed(kind: str) -> bool:
    return kind in _KINDS


def read_groups(kind: str, rows: Bytes) -> Groups:
    """The groups of stored bytes, shape (rows, bytes of a row)."""
    bits, block_bytes, read = _KINDS[kind]
    # Damaged numbers become damaged weights, which a load detects; numpy need not warn.
    with np.errstate(all="ignore"):
        codes, scales, biases = read(rows.reshape(-1, block_bytes), bits)
    shape = (len(rows), -1)
    return Groups(codes.reshape(shape), scales.reshape(shape), biases.reshape(shape))


def pack(codes: Bytes, bits: int) -> Bytes:
    """Codes (rows, columns) in MLX's layout, (rows, columns * bits / 8) bytes, lowest bits first."""
    if bits == 8:
        return codes
    if bits == 4:
        return codes[:, ::2] | codes[:, 1::2] << _FOUR
    spread = np.unpackbits(codes[..., None], axis=-1, count=bits, bitorder="little")
    return np.packbits(spread.reshape(len(codes), -1), axis=-1, bitorder="little")


def quantise(weights: Floats, bits: int) -> Groups:
    """Quantise (rows, columns) to groups that span the smallest to the largest of each 32 weights."""
    groups = weights.reshape(len(weights), -1, GROUP_SIZE)
    low, high = groups.min(axis=-1), groups.max(axis=-1)
    top = 2**bits - 1
    scales, biases = ((high - low) / top).astype(np.float16), low.astype(np.float16)
    # Rounded with the stored FP16 scale, which differs a little from the exact one.
    steps = (groups - biases.astype(np.float32)[..., None]) / np.where(scales > 0, scales, 1)[..., None]
    codes = np.nan_to_num(np.rint(steps)).clip(0, top).astype(np.uint8)
    return Groups(codes, scales, biases)


def _q4_0(blocks: Bytes, bits: int) -> Groups:
    scales = _half(blocks, 0)
    return Groups(_nibbles(blocks[:, 2:], 32), scales, scales * -8)


def _q4_1(blocks: Bytes, bits: int) -> Groups:
    return Groups(_nibbles(blocks[:, 4:], 32), _half(blocks, 0), _half(blocks, 2))


def _q5_0(blocks: Bytes, bits: int) -> Groups:
    scales = _half(blocks, 0)
    return Groups(_nibbles(blocks[:, 6:], 32) | _fifth_bits(blocks[:, 2:6]), scales, scales * -16)


def _q5_1(blocks: Bytes, bits: int) -> Groups:
    codes = _nibbles(blocks[:, 8:], 32) | _fifth_bits(blocks[:, 4:8])
    return Groups(codes, _half(blocks, 0), _half(blocks, 2))


def _q8_0(blocks: Bytes, bits: int) -> Groups:
    scales = _half(blocks, 0)
    return Groups(blocks[:, 2:] ^ np.uint8(0x80), scales, scales * -128)  # signed to unsigned


def _q4_k(blocks: Bytes, bits: int) -> Groups:
    return Groups(_nibbles(blocks[:, 16:], 64), *_scales_and_minima(blocks))


def _q5_k(blocks: Bytes, bits: int) -> Groups:
    high = _planes(blocks[:, 16:48], 32, bits=1) << _FOUR
    return Groups(_nibbles(blocks[:, 48:], 64) | high, *_scales_and_minima(blocks))


def _q2_k(blocks: Bytes, bits: int) -> Groups:
    scales, minima = blocks[:, :16] & 15, blocks[:, :16] >> 4
    steps, offsets = _wide(blocks, 80) * scales, _wide(blocks, 82) * minima
    codes = _planes(blocks[:, 16:80], 32, bits=2).reshape(-1, 16, 16)
    weights = codes.astype(np.float32) * steps[..., None] - offsets[..., None]
    return quantise(weights.reshape(-1, 256), bits)


def _q3_k(blocks: Bytes, bits: int) -> Groups:
    low, high = _planes(blocks[:, 96:104], 8, bits=4), _planes(blocks[:, 104:108], 4, bits=2)
    steps = _wide(blocks, 108) * ((low | high << 4).astype(np.float32) - 32)
    codes = _planes(blocks[:, 32:96], 32, bits=2) | _planes(blocks[:, :32], 32, bits=1) << 2
    weights = (codes.astype(np.float32) - 4).reshape(-1, 16, 16) * steps[..., None]
    return quantise(weights.reshape(-1, 256), bits)


def _q6_k(blocks: Bytes, bits: int) -> Groups:
    steps = _wide(blocks, 208) * blocks[:, 192:208].view(np.int8)
    codes = _planes(blocks[:, :128], 64, bits=4) | _planes(blocks[:, 128:192], 32, bits=2) << _FOUR
    weights = (codes.astype(np.float32) - 32).reshape(-1, 16, 16) * steps[..., None]
    return quantise(weights.reshape(-1, 256), bits)


def _scales_and_minima(blocks: Bytes) -> tuple[Any, Any]:
    """Those of Q4_K and Q5_K: eight six-bit scales and minima in twelve bytes, after their two FP16 units."""
    first, second, rest = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.hstack([first & 63, rest & 15 | first >> 6 << 4])
    minima = np.hstack([second & 63, rest >> 4 | second >> 6 << 4])
    return (_wide(blocks, 0) * scales).astype(np.float16), (_wide(blocks, 2) * -1.0 * minima).astype(
        np.float16
    )


def _nibbles(stored: Bytes, run: int) -> Bytes:
    """Four-bit codes: the low halves of the bytes of each run, then the high ones."""
    return _planes(stored, run // 2, bits=4)


def _planes(stored: Bytes, width: int, *, bits: int) -> Bytes:
    """Codes of `bits` bits: the lowest ones of `width` bytes, then the next ones of the same bytes."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    codes = stored.reshape(len(stored), -1, 1, width) >> shifts & np.uint8(2**bits - 1)
    return codes.reshape(len(stored), -1)


def _fifth_bits(stored: Bytes) -> Bytes:
    return np.unpackbits(stored, axis=-1, bitorder="little") << _FOUR


def _half(blocks: Bytes, at: int) -> NDArray[np.float16]:
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2")


def _wide(blocks: Bytes, at: int) -> Floats:
    return _half(blocks, at).astype(np.float32)


_KINDS: dict[str, tuple[int, int, Callable[[Bytes, int], Groups]]] = {  # bits of a code, bytes of a block
    "Q4_0": (4, 18, _q4_0),
    "Q4_1": (4, 20, _q4_1),
    "Q5_0": (5, 22, _q5_0),
    "Q5_1": (5, 24, _q5_1),
    "Q8_0": (8, 34, _q8_0),
    "Q2_K": (4, 84, _q2_k),
    "Q3_K": (4, 110, _q3_k),
    "Q4_K": (4, 144, _q4_k),
    "Q5_K": (5, 176, _q5_k),
    "Q6_K": (8, 210, _q6_k),
}
