"""Caches whose rows are rolled back one by one hold what caches of single rows hold."""

import random
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import BatchKVCache, KVCache, RotatingKVCache

from inference.worker.kv_quantization.packed_numbers import PackedLayout
from inference.worker.kv_quantization.quantized_kv import BatchQuantizedKV
from inference.worker.speculation.ragged_cache import (
    RaggedKVCache,
    RaggedQuantizedKV,
    can_roll_back,
    ragged,
    roll_back,
)

pytestmark = pytest.mark.mlx
HEADS, SIZE = 2, 4


class Rows:
    """A batch's cache, and what each of its rows must hold."""

    def __init__(self, *lengths: int) -> None:
        self.kept = [
            [float(100 * row + place) for place in range(length)] for row, length in enumerate(lengths)
        ]
        self.next = 1000.0
        self.cache = RaggedKVCache.of(BatchKVCache.merge([_single(row) for row in self.kept]))

    def add(self, kept: list[int], width: int) -> None:
        new = [[self.next + 50 * row + place for place in range(width)] for row in range(len(kept))]
        self.next += 1000
        mask = self.cache.make_mask(width, return_array=True)
        keys, values = self.cache.update_and_fetch(_array(new), -_array(new))
        for row, tokens in enumerate(new):
            for place in range(width):
                seen = np.array(keys[row, 0, :, 0])[np.array(mask[row, 0, place])]
                assert seen.tolist() == [*self.kept[row], *tokens[: place + 1]]
        assert mx.array_equal(keys, -values).item()
        self.cache.roll_back(kept, width)
        self.kept = [old + tokens[:count] for old, tokens, count in zip(self.kept, new, kept, strict=True)]

    def check(self) -> None:
        assert self.cache.offset.tolist() == [len(row) for row in self.kept]
        for row, tokens in enumerate(self.kept):
            single = self.cache.extract(row)
            assert single.offset == len(tokens) and single.keys[0, 1, :, 2].tolist() == tokens
            assert mx.array_equal(single.keys, -single.values).item()


def _array(rows: list[list[float]]) -> mx.array:
    return mx.broadcast_to(mx.array(rows)[:, None, :, None], (len(rows), HEADS, len(rows[0]), SIZE))


def _single(tokens: list[float]) -> KVCache:
    cache = KVCache()
    cache.update_and_fetch(_array([tokens]), -_array([tokens]))
    return cache


@pytest.mark.parametrize("seed", range(4))
def test_rows_hold_what_was_kept_of_them(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows = Rows(3, 9, 1, 5)
    for _ in range(60):
        width = draw.choice([1, 1, 2, 5, 9])
        rows.add([draw.randint(1, width) for _ in rows.kept], width)
        if draw.random() < 0.2:
            rows.check()
    rows.check()


def test_rows_leave_and_join_while_their_ends_differ() -> None:
    rows = Rows(3, 9, 1, 5)
    rows.add([5, 1, 3, 2], 5)
    assert rows.cache.is_ragged
    rows.cache.filter([1, 2])
    rows.kept = [rows.kept[1], rows.kept[2]]
    rows.add([1, 4], 5)
    rows.check()
    others = Rows(4, 2)
    others.add([1, 5], 5)
    rows.cache.extend(others.cache)
    rows.kept += others.kept
    rows.check()
    rows.add([3, 1, 2, 3], 3)
    rows.check()
    rows.cache.extend(BatchKVCache.merge([_single([7.0, 8.0])]))
    rows.kept.append([7.0, 8.0])
    rows.add([1, 1, 1, 1, 1], 1)
    rows.check()


def test_a_row_that_falls_far_behind_is_aligned() -> None:
    rows = Rows(3, 3)
    for _ in range(40):
        rows.add([9, 1], 9)
        assert max(rows.cache._slack) <= 128
    rows.check()


def test_all_rows_that_keep_as_much_stay_aligned() -> None:
    rows = Rows(3, 6)
    rows.add([2, 2], 5)
    assert not rows.cache.is_ragged
    rows.check()
    rows.add([2, 1], 2)
    assert rows.cache.trim(1) == 1
    rows.kept = [row[:-1] for row in rows.kept]
    rows.check()


def test_a_window_hides_what_lies_further_back() -> None:
    rows = Rows(6, 3)
    rows.add([2, 1], 2)
    mask: Any = np.array(rows.cache.make_mask(2, window_size=3))
    assert mask.sum(axis=-1).tolist() == [[[3, 3]], [[3, 3]]]


def test_layers_are_rolled_back_together() -> None:
    layers = ragged([Rows(2, 4).cache, BatchKVCache.merge([_single([1.0]), _single([2.0])])])
    for layer in layers:
        layer.update_and_fetch(_array([[5.0, 6.0], [7.0, 8.0]]), _array([[5.0, 6.0], [7.0, 8.0]]))
    roll_back(layers, [1, 2], 2)
    assert [layer.offset.tolist() for layer in layers] == [[3, 6], [2, 3]]


def test_only_caches_of_all_tokens_can_be_rolled_back() -> None:
    plain, packed = BatchKVCache([0]), BatchQuantizedKV(PackedLayout(8, 32), [0])
    assert can_roll_back([plain, RaggedKVCache.of(plain), packed, RaggedQuantizedKV.of(packed)])
    assert not can_roll_back([]) and not can_roll_back(
        [plain, RotatingKVCache(8).merge([RotatingKVCache(8)])]
    )
