"""Rows of a batch have the numbers that they have alone, to the last bit, whatever happens to the batch."""

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.models.cache import BatchKVCache, KVCache, load_prompt_cache, save_prompt_cache

from inference.worker.kv_quantization.packed_numbers import PackedLayout
from inference.worker.kv_quantization.quantized_kv import BatchQuantizedKV, QuantizedKV
from inference.worker.model import mlx_lm_patches
from inference.worker.speculation.ragged_cache import ragged

pytestmark = pytest.mark.mlx
LENGTHS = (5, 300, 0, 17)
SIZES = (64, 32)  # of a key and of a value: they may differ


def key_and_value(row: int, start: int, tokens: int) -> tuple[mx.array, mx.array]:
    """The keys and values of a row's tokens, (1, 2, tokens, size), which depend on row and position alone."""
    keys, values = (mx.array(numbers[:, :, start : start + tokens]) for numbers in _numbers(row))
    return keys, values


@lru_cache
def _numbers(row: int) -> list[Any]:
    random = np.random.default_rng(row)
    return [random.standard_normal((1, 2, 700, size)).astype(np.float32) for size in SIZES]


def single(layout: PackedLayout, row: int, length: int) -> QuantizedKV:
    """One row's cache, filled in chunks."""
    cache = QuantizedKV(layout)
    for start in range(0, length, 128):
        cache.update_and_fetch(*key_and_value(row, start, min(128, length - start)))
    return cache


def append(batch: Any, rows: Sequence[int], starts: Sequence[int], tokens: int = 1) -> Any:
    """Give every row its next tokens; returns what attention reads."""
    parts = [key_and_value(row, start, tokens) for row, start in zip(rows, starts, strict=True)]
    keys, values = (mx.concatenate(list(arrays)) for arrays in zip(*parts, strict=True))
    return batch.update_and_fetch(keys, values)


def are_equal(one: QuantizedKV, other: QuantizedKV) -> bool:
    """Whether all packed numbers of two caches are equal."""
    if one.offset != other.offset or one.layout != other.layout:
        return False
    pairs = [
        (a[..., : one.offset, :], b[..., : one.offset, :])
        for mine, others in ((one.keys, other.keys), (one.values, other.values))
        for a, b in zip(mine or (), others or (), strict=False)  # without tokens, one may have no arrays
    ]
    return all(bool(mx.array_equal(a, b)) for a, b in pairs)


def extracted(batch: Any) -> list[QuantizedKV]:
    return [batch.extract(row) for row in range(batch.offset.shape[0])]


def check(batch: Any, rows: Sequence[int], lengths: Sequence[int]) -> None:
    """Every row has what the row alone has."""
    assert batch.offset.tolist() == list(lengths)
    for taken, row, length in zip(extracted(batch), rows, lengths, strict=True):
        assert are_equal(taken, single(batch.layout, row, length))


@pytest.fixture(
    params=[(8, 32, False), (4, 32, False), (8, 32, True), (4, 32, True)],
    ids=["8 bits", "4 bits", "8 bits fused", "4 bits fused"],
)
def layout(request: pytest.FixtureRequest) -> Iterator[PackedLayout]:
    yield PackedLayout(*request.param)


def merged(layout: PackedLayout, lengths: Sequence[int] = LENGTHS) -> BatchQuantizedKV:
    caches = [single(layout, row, length) for row, length in enumerate(lengths)]
    return QuantizedKV.merge(caches)


def test_rows_that_are_merged_and_decode_are_those_of_each_alone(layout: PackedLayout) -> None:
    batch = merged(layout)
    for step in range(3):
        append(batch, range(4), [length + step for length in LENGTHS])
    check(batch, range(4), [length + 3 for length in LENGTHS])


def test_what_attention_reads_is_what_is_kept(layout: PackedLayout) -> None:
    batch = merged(layout)
    keys, values = append(batch, range(4), LENGTHS)
    alone = single(layout, 3, LENGTHS[3])
    own_keys, own_values = alone.update_and_fetch(*key_and_value(3, LENGTHS[3], 1))
    start = max(LENGTHS) - LENGTHS[3]
    for read, own in ((keys, own_keys), (values, own_values)):
        for part, mine in zip(*((read, own) if layout.is_fused else ([read], [own])), strict=True):
            assert mx.array_equal(part[3:4, :, start:], mine)


def test_rows_leave_and_padding_shrinks(layout: PackedLayout) -> None:
    batch = merged(layout)
    batch.filter([3, 0])
    assert batch.size() == 17 and batch.left_padding.tolist() == [0, 12]
    append(batch, [3, 0], [17, 5])
    check(batch, [3, 0], [18, 6])


@pytest.mark.parametrize("others", [(4,), (400, 2), (1, 256, 0)])
def test_rows_join_shorter_and_longer_ones(layout: PackedLayout, others: tuple[int, ...]) -> None:
    batch, joining = (
        merged(layout),
        QuantizedKV.merge([single(layout, 4 + i, n) for i, n in enumerate(others)]),
    )
    append(batch, range(4), LENGTHS)  # it has room for more tokens than it holds
    batch.extend(joining)
    lengths = [*(length + 1 for length in LENGTHS), *others]
    append(batch, range(len(lengths)), lengths)
    check(batch, range(len(lengths)), [length + 1 for length in lengths])


def test_empty_batches_join(layout: PackedLayout) -> None:
    for first, second in (((0, 0), (3,)), ((3,), (0, 0)), ((0,), (0,))):
        batch = merged(layout, first)
        rows, lengths = [*range(len(first)), *range(4, 4 + len(second))], [*first, *second]
        batch.extend(QuantizedKV.merge([single(layout, 4 + i, n) for i, n in enumerate(second)]))
        append(batch, rows, lengths, tokens=2)
        check(batch, rows, [length + 2 for length in lengths])


def test_padding_on_the_right_of_a_chunk_moves_to_the_left(layout: PackedLayout) -> None:
    batch = merged(layout)
    chunks, most = [6, 2, 4, 1], 6
    batch.prepare(lengths=chunks, right_padding=[most - chunk for chunk in chunks])
    append(batch, range(4), LENGTHS, tokens=most)  # the padding holds numbers, too, which must not be seen
    batch.finalize()
    lengths = [length + chunk for length, chunk in zip(LENGTHS, chunks, strict=True)]
    check(batch, range(4), lengths)
    append(batch, range(4), lengths)
    check(batch, range(4), [length + 1 for length in lengths])


def test_rows_are_trimmed_together_and_rolled_back_one_by_one(layout: PackedLayout) -> None:
    batch = merged(layout, (5, 300, 17))
    append(batch, range(3), (5, 300, 17), tokens=4)
    assert batch.is_trimmable() and batch.trim(1) == 1
    check(batch, range(3), (8, 303, 20))
    rows: Any = ragged([batch])[0]
    append(rows, range(3), (8, 303, 20), tokens=5)
    rows.roll_back([2, 5, 1], 5)
    assert rows.is_ragged
    check(rows, range(3), (10, 308, 21))
    append(rows, range(3), (10, 308, 21), tokens=2)
    rows.roll_back([1, 1, 1], 2)
    check(rows, range(3), (11, 309, 22))
    assert rows.trim(1) == 1 and not rows.is_ragged
    check(rows, range(3), (10, 308, 21))


def test_offsets_padding_and_masks_are_those_of_mlx_lm(layout: PackedLayout) -> None:
    ours, theirs = merged(layout), KVCache.merge([_whole(row, n) for row, n in enumerate(LENGTHS)])
    assert isinstance(theirs, BatchKVCache)

    def both_are_equal() -> bool:
        pairs = [(ours.offset, theirs.offset), (ours.left_padding, theirs.left_padding)]
        pairs += [(ours.make_mask(n), theirs.make_mask(n)) for n in (1, 3)]
        pairs.append((ours.make_mask(3, window_size=8), theirs.make_mask(3, window_size=8)))
        return ours.size() == theirs.size() and all(bool(mx.array_equal(a, b)) for a, b in pairs)

    changes: list[Callable[[Any], Any]] = [
        lambda batch: append(batch, range(4), LENGTHS, tokens=3),
        lambda batch: batch.prepare(lengths=[2, 1, 3, 3], right_padding=[1, 2, 0, 0]),
        lambda batch: append(batch, range(4), [length + 3 for length in LENGTHS], tokens=3),
        lambda batch: batch.finalize(),
        lambda batch: batch.trim(1),
        lambda batch: batch.filter([0, 2, 3]),
        lambda batch: batch.extend(copy.deepcopy(batch)),
    ]
    for change in changes:
        change(ours)
        change(theirs)
        assert both_are_equal()


def _whole(row: int, length: int) -> KVCache:
    cache = KVCache()
    if length:
        cache.update_and_fetch(*key_and_value(row, 0, length))
    return cache


def test_a_copy_stays_as_it_was_when_the_original_goes_on(layout: PackedLayout) -> None:
    cache = single(layout, 0, 20)
    kept = copy.deepcopy(cache)
    cache.trim(5)
    cache.update_and_fetch(*key_and_value(1, 0, 5))
    assert are_equal(kept, single(layout, 0, 20)) and not are_equal(cache, kept)


def test_trimmed_caches_continue(layout: PackedLayout) -> None:
    cache = single(layout, 0, 20)
    assert cache.is_trimmable() and cache.trim(8) == 8 and cache.trim(100) == 12
    cache.update_and_fetch(*key_and_value(0, 0, 9))
    assert are_equal(cache, single(layout, 0, 9))


def test_a_cache_is_saved_and_read_back(layout: PackedLayout, tmp_path: Path) -> None:
    mlx_lm_patches.patch_models()
    cache = single(layout, 0, 20)
    save_prompt_cache(str(tmp_path / "one.safetensors"), [cache, KVCache()])
    read, _ = load_prompt_cache(str(tmp_path / "one.safetensors"))
    assert isinstance(read, QuantizedKV) and are_equal(read, cache)
    for one in (read, cache):
        one.update_and_fetch(*key_and_value(0, 20, 3))
    assert are_equal(read, cache)


def test_bytes_are_those_of_the_arrays() -> None:
    whole, eight, four = _whole(0, 256), *(single(PackedLayout(bits, 32), 0, 256) for bits in (8, 4))
    # fp32 scales and biases of 32 numbers: 2 bits a number.
    assert (eight.nbytes / whole.nbytes, four.nbytes / whole.nbytes) == (10 / 32, 6 / 32)
    assert QuantizedKV.merge([eight, eight]).nbytes == 2 * eight.nbytes
    assert QuantizedKV(PackedLayout(8, 32)).nbytes == 0 and QuantizedKV(PackedLayout(8, 32)).empty()


def test_only_fused_layouts_have_mlx_lm_compute_with_packed_numbers() -> None:
    fused, plain = QuantizedKV(PackedLayout(4, 32, is_fused=True)), QuantizedKV(PackedLayout(4, 32))
    assert (fused.bits, fused.group_size) == (4, 32) and not hasattr(plain, "bits")


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_life_of_a_batch_leaves_each_row_as_it_is_alone(data: st.DataObject) -> None:
    """Rows join, decode, leave, are rolled back and padded in any order; each keeps its own numbers."""
    layout = PackedLayout(data.draw(st.sampled_from([8, 4])), 32)
    lengths = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=4))
    batch: Any = merged(layout, lengths)
    rows, fresh = list(range(len(lengths))), len(lengths)
    changes = st.sampled_from(["decode", "join", "leave", "verify", "chunk"])
    for change in data.draw(st.lists(changes, max_size=8)):
        if change == "decode":
            append(batch, rows, lengths)
            lengths = [length + 1 for length in lengths]
        elif change == "join":
            joining = data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=2))
            added = range(fresh, fresh + len(joining))
            singles = [single(layout, row, length) for row, length in zip(added, joining, strict=True)]
            batch.extend(QuantizedKV.merge(singles))
            rows, lengths, fresh = [*rows, *added], [*lengths, *joining], fresh + len(joining)
        elif change == "leave":
            kept = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1, unique=True))
            batch.filter(kept)
            rows, lengths = [rows[place] for place in kept], [lengths[place] for place in kept]
        elif change == "verify":
            width = data.draw(st.integers(1, 70))
            kept = [data.draw(st.integers(1, width)) for _ in rows]
            (batch,) = ragged([batch])
            append(batch, rows, lengths, tokens=width)
            batch.roll_back(kept, width)
            lengths = [length + count for length, count in zip(lengths, kept, strict=True)]
        else:
            (batch,) = ragged([batch])
            batch.align()
            chunks = [data.draw(st.integers(0, 5)) for _ in rows]
            most = max(1, *chunks)
            batch.prepare(lengths=chunks, right_padding=[most - chunk for chunk in chunks])
            append(batch, rows, lengths, tokens=most)
            batch.finalize()
            lengths = [length + chunk for length, chunk in zip(lengths, chunks, strict=True)]
    append(batch, rows, lengths)
    check(batch, rows, [length + 1 for length in lengths])
