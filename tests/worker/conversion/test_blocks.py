"""Types against known answers: blocks written by hand, and what the `gguf` package reads of random ones."""

import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

from inference.worker.conversion.blocks import Groups, bits_of, pack, quantise, read_groups
from tests.each import each
from tests.gguf_files import random_blocks

REPACKED = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K")
QUANTISED_ANEW = ("Q2_K", "Q3_K", "Q6_K")


def meant(groups: Groups) -> np.ndarray:
    """The weights a reader of the groups ends up with."""
    scales, biases = (np.repeat(part.astype(np.float32), 32, axis=1) for part in groups[1:])
    return groups.codes * scales + biases


def half(*values: float) -> list[int]:
    return list(np.array(values, "<f2").tobytes())


def read(kind: str, block: list[int]) -> list[float]:
    return list(meant(read_groups(kind, np.array([block], np.uint8)))[0].tolist())


def test_a_block_of_q4_0() -> None:
    found = read("Q4_0", half(0.5) + [0x91, 0xF8] + [0x88] * 14)
    assert found[:3] == [(1 - 8) * 0.5, 0, 0] and found[16:19] == [0.5, 3.5, 0]


def test_a_block_of_q4_1() -> None:
    found = read("Q4_1", half(0.5, -2) + [0x91] + [0] * 15)
    assert found[:2] == [-1.5, -2] and found[16:18] == [9 * 0.5 - 2, -2]


def test_a_block_of_q5_0() -> None:
    found = read("Q5_0", half(0.25) + [0b10, 0, 0, 0x80] + [0x00] * 15 + [0x30])
    assert (found[0], found[1], found[31]) == (-4, 0, (16 + 3 - 16) * 0.25)


def test_a_block_of_q5_1() -> None:
    found = read("Q5_1", half(0.25, 1) + [0b1, 0, 0, 0] + [0x2F] + [0] * 15)
    assert (found[0], found[1], found[16]) == (31 * 0.25 + 1, 1, 1.5)


def test_a_block_of_q8_0() -> None:
    found = read("Q8_0", half(0.5) + [0, 1, 127, 128, 255] + [0] * 27)
    assert found[:5] == [0, 0.5, 63.5, -64, -0.5]


def test_a_block_of_q4_k() -> None:
    # Scales 1 to 8 and minima 2, 0, 0, ... of the eight groups; the fifth's are spread over two places.
    scales = [1, 2, 3, 4 | 0x40, 2, 0, 0, 0, 5, 6, 7, 8]
    found = read("Q4_K", half(0.5, 0.25) + scales + [0x21] * 32 + [0x43] * 32 + [0] * 63 + [0xF0])
    assert (found[0], found[31], found[32]) == (1 * 0.5 - 0.5, 0, 2 * 2 * 0.5)
    assert (found[64], found[96]) == (3 * 3 * 0.5, 4 * 4 * 0.5)
    assert (found[254], found[255]) == (0, 15 * (8 | 16) * 0.5)


def test_a_block_of_q5_k() -> None:
    scales = [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]
    high = [0b1] + [0b100] + [0] * 30
    found = read("Q5_K", half(0.5, 0.25) + scales + high + [0x21] * 32 + [0x43] * 32 + [0] * 64)
    assert (found[0], found[1]) == (17 * 0.5, 0.5)
    assert (found[64], found[65]) == (3 * 3 * 0.5, 19 * 3 * 0.5)


def test_a_block_of_q6_k() -> None:
    # The first 16 weights are scaled by 1, the next by -2, and so on; 8 bits come within half a step.
    scales = [1, 0xFE] + [1] * 14
    low, high = [0xF1] + [0] * 127, [0b11_00_00_01] + [0] * 63
    found = read("Q6_K", low + high + scales + half(0.5))
    assert found[:2] == pytest.approx([(17 - 32) * 0.5, -16], abs=0.1)
    assert found[16] == pytest.approx(32, abs=0.1)
    assert found[64] == pytest.approx((15 - 32) * 0.5, abs=0.1)
    assert found[96] == pytest.approx((48 - 32) * 0.5, abs=0.1)


def test_a_block_of_q2_k() -> None:
    scales = [0x21, 0x12] + [0x01] * 14
    found = read("Q2_K", scales + [0b11_10_01_00] * 64 + half(0.5, 0.25))
    assert found[0] == pytest.approx(-0.5, abs=0.01) and found[16] == pytest.approx(-0.25, abs=0.01)
    assert [found[at] for at in (32, 64, 96, 128)] == pytest.approx([0.5, 1, 1.5, 0], abs=0.01)


def test_a_block_of_q3_k() -> None:
    # Every scale is 33 - 32; the mask's bit takes the four away that are taken from a weight without it.
    low, high = [0x11] * 8, [0b10_10_10_10] * 4
    found = read("Q3_K", [0b1] + [0] * 31 + [0b11_10_01_01] * 64 + low + high + half(0.5))
    assert found[:2] == pytest.approx([0.5, -1.5], abs=0.07)
    assert [found[at] for at in (32, 64, 96)] == pytest.approx([-1.5, -1, -0.5], abs=0.07)


@each("kind", [*REPACKED, *QUANTISED_ANEW])
def test_random_blocks_mean_what_the_reference_reads(kind: str) -> None:
    rows = random_blocks(kind, rows=6, columns=512)
    wanted = quants.dequantize(rows, GGMLQuantizationType[kind])
    found = meant(read_groups(kind, rows))
    spread = np.ptp(wanted.reshape(6, -1, 32), axis=-1).max()
    # A repacked type differs by the rounding of scales to half precision, another by half a step.
    allowed = spread * 0.001 if kind in REPACKED else spread / (2 ** bits_of(kind) - 1) * 0.51
    assert float(np.abs(found - wanted).max()) <= allowed


def in_rows(groups: Groups, rows: int) -> Groups:
    codes, scales, biases = groups
    return Groups(codes.reshape(rows, -1), scales.reshape(rows, -1), biases.reshape(rows, -1))


@pytest.mark.mlx
@pytest.mark.parametrize("bits", [4, 5, 8])
def test_packed_codes_are_read_by_mlx(bits: int) -> None:
    import mlx.core as mx

    mx.set_default_device(mx.cpu)
    groups = quantise(np.random.default_rng(0).standard_normal((4, 64), np.float32), bits)
    groups = in_rows(groups, 4)
    words = np.ascontiguousarray(pack(groups.codes, bits)).view("<u4")
    scales, biases = mx.array(groups.scales), mx.array(groups.biases)
    read = mx.dequantize(mx.array(words), scales, biases, group_size=32, bits=bits, dtype=mx.float32)
    assert float(np.abs(np.array(read) - meant(groups)).max()) < 0.01


def test_equal_weights_are_quantised_to_themselves() -> None:
    groups = in_rows(quantise(np.full((1, 32), 0.75, np.float32), 4), 1)
    assert meant(groups).tolist() == [[0.75] * 32]
