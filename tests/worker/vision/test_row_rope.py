"""Rotary positions by row: the model's own for texts, by three coordinates for pictures."""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.vision import row_rope
from inference.worker.vision.places import place
from inference.worker.vision.rows import PictureRow, answer_rows, picture_rows
from inference.worker.vision.seen import Seen, digest_of

pytestmark = pytest.mark.mlx
IMAGE, SIZE = 9, 16
SECTIONS = (2, 3, 3)


class Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, rope: nn.Module) -> None:
        super().__init__()
        self.rope = rope


class Model(nn.Module):  # type: ignore[misc]
    def __init__(self, *ropes: nn.Module) -> None:
        super().__init__()
        self.layers = [{"self_attn": Attention(rope)} for rope in ropes]


def installed(*, is_interleaved: bool = False) -> nn.Module:
    rope = nn.RoPE(SIZE, base=100.0)
    row_rope.install(Model(rope), SECTIONS, is_interleaved=is_interleaved)
    return rope


def row(before: int, grid: tuple[int, int], behind: int) -> PictureRow:
    tokens = grid[0] * grid[1]
    prompt = [1] * before + [IMAGE] * tokens + [1] * behind
    seen = Seen(np.zeros((1, 1, 1, 3), np.uint8), "", tokens, digest_of(b""), grid)
    return PictureRow(place(prompt, IMAGE, [seen]))


def turned(x: Any, axes: list[int], coordinates: Any) -> Any:
    """By hand: each pair of numbers of (T, size) by one coordinate of (3, T)."""
    made, half = x.copy(), len(axes)
    for token in range(len(x)):
        for pair, axis in enumerate(axes):
            angle = coordinates[axis][token] * 100.0 ** (-2 * pair / (2 * half))
            first, second = x[token, pair], x[token, pair + half]
            made[token, pair] = first * np.cos(angle) - second * np.sin(angle)
            made[token, pair + half] = second * np.cos(angle) + first * np.sin(angle)
    return made


def test_the_coordinates_that_turn_each_pair() -> None:
    assert row_rope.axes_of((2, 3, 3), is_interleaved=False) == [0, 0, 1, 1, 1, 2, 2, 2]
    assert row_rope.axes_of((2, 1, 1), is_interleaved=True) == [0, 1, 2, 0]
    axes = row_rope.axes_of((24, 20, 20), is_interleaved=True)  # Qwen 3-VL's
    assert [axes.count(axis) for axis in range(3)] == [24, 20, 20]
    assert axes[:6] == [0, 1, 2, 0, 1, 2] and axes[57:] == [0, 1, 2, 0, 0, 0, 0][: len(axes) - 57]


@pytest.mark.parametrize("is_interleaved", [False, True])
def test_a_chunk_with_a_picture_is_turned_by_its_coordinates(is_interleaved: bool) -> None:
    rope = installed(is_interleaved=is_interleaved)
    axes = row_rope.axes_of(SECTIONS, is_interleaved=is_interleaved)
    rows = [row(3, (2, 3), 4), None, row(1, (1, 4), 8)]
    starts = [2, 5, 0]
    x = mx.random.normal((3, 2, 6, SIZE + 4), key=mx.random.key(1))
    with picture_rows(rows, starts):
        got = np.array(rope(x, offset=mx.array(starts)))
    for number, (one, start) in enumerate(zip(rows, starts, strict=True)):
        plain = np.tile(np.arange(start, start + 6), (3, 1))
        coordinates = one.pictures.coordinates(start, 6) if one else plain
        for head in range(2):
            before = np.array(x[number, head])
            want = turned(before[:, :SIZE], axes, coordinates)
            assert np.allclose(got[number, head, :, :SIZE], want, atol=1e-5)
            assert np.array_equal(got[number, head, :, SIZE:], before[:, SIZE:])
    assert rows[0] and rows[0].pictures.coordinates(2, 6).tolist() == [
        [2, 3, 3, 3, 3, 3],
        [2, 3, 3, 3, 4, 4],
        [2, 3, 4, 5, 3, 4],
    ]


def test_behind_pictures_positions_are_plain_and_fewer() -> None:
    rope, plain = installed(), nn.RoPE(SIZE, base=100.0)
    rows = [row(3, (4, 5), 4), None]
    x = mx.random.normal((2, 1, 3, SIZE), key=mx.random.key(2))
    offsets = mx.array([30, 12])
    with answer_rows(rows):
        got = rope(x, offset=offsets)
    assert np.array_equal(np.array(got), np.array(plain(x, offset=offsets - mx.array([15, 0]))))
    with answer_rows(rows[:1]):  # alone its cache has an int
        got = rope(x[:1], offset=30)
    assert np.array_equal(np.array(got), np.array(plain(x[:1], offset=15)))
    with picture_rows(rows, [23, 12]):  # a chunk of the prompt behind them
        got = rope(x, offset=mx.array([23, 12]))
    assert np.allclose(np.array(got), np.array(plain(x, offset=mx.array([8, 12]))), atol=1e-6)
    assert np.array_equal(np.array(rope(x, offset=offsets)), np.array(plain(x, offset=offsets)))


def test_half_precision_is_turned_in_full() -> None:
    rope = installed()
    x = mx.random.normal((1, 1, 6, SIZE), key=mx.random.key(3))
    half = x.astype(mx.bfloat16)
    with picture_rows([row(1, (2, 2), 3)], [0]):
        got, want = rope(half), rope(half.astype(mx.float32)).astype(mx.bfloat16)
    assert got.dtype == mx.bfloat16
    assert (got == want).all().item()


@pytest.mark.parametrize(
    "ropes",
    [
        (),
        (nn.RoPE(SIZE), nn.Linear(2, 2)),
        (nn.RoPE(SIZE, traditional=True),),
        (nn.RoPE(2 * SIZE),),
        (nn.RoPE(SIZE), nn.RoPE(2 * SIZE)),
    ],
)
def test_a_model_with_other_positions_is_refused_and_left_as_it_is(ropes: tuple[nn.Module, ...]) -> None:
    with pytest.raises(row_rope.NoRope):
        row_rope.install(Model(*ropes), SECTIONS, is_interleaved=False)
    assert not any(isinstance(rope, row_rope.RowRope) for rope in ropes)
