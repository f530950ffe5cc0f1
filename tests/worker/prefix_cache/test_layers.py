"""Caches of every type that mlx-lm has: a reader's copy is its own, and what cannot be done is known."""

import inspect
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm.models import cache as mlx_caches
from mlx_lm.models.cache import (
    ArraysCache,
    CacheList,
    ChunkedKVCache,
    ConcatenateKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
)
from mlx_lm.models.deepseek_v41 import LayerCache

from inference.worker.kv_quantization.packed_numbers import PackedLayout
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model import mlx_lm_patches
from inference.worker.prefix_cache.layers import (
    can_always_trim,
    can_be_saved,
    can_trim,
    copy_caches,
    trim_copy,
    unmergeable_type,
)
from tests.each import each

pytestmark = pytest.mark.mlx

MAKERS: dict[str, Callable[[], Any]] = {
    "KVCache": KVCache,
    "QuantizedKVCache": lambda: QuantizedKVCache(group_size=32),
    "QuantizedKV": lambda: QuantizedKV(PackedLayout(8, 32)),
    "RotatingKVCache": lambda: RotatingKVCache(max_size=24),
    "RotatingKVCache that keeps": lambda: RotatingKVCache(max_size=24, keep=4),
    "ConcatenateKVCache": ConcatenateKVCache,
    "ChunkedKVCache": lambda: ChunkedKVCache(chunk_size=24),
    "ArraysCache": lambda: ArraysCache(size=2),
    "CacheList": lambda: CacheList(KVCache(), RotatingKVCache(max_size=24)),
    "CacheList in CacheList": lambda: CacheList(CacheList(KVCache(), ArraysCache(size=2)), KVCache()),
    "LayerCache": lambda: LayerCache(24),
}
# They hold several sequences, or nothing that is kept.
OF_BATCHES = {"BatchKVCache", "BatchRotatingKVCache", "_BaseCache", "LRUPromptCache"}


def write(layer: Any, tokens: int, value: float) -> None:
    """What a model does to a cache: `tokens` more, with keys and values of one number."""
    new = mx.full((1, 2, tokens, 32), value)
    if isinstance(layer, CacheList):
        for inner in layer.caches:
            write(inner, tokens, value)
    elif isinstance(layer, ArraysCache):
        layer[0] = mx.full((1, 3, 8), value) if layer[0] is None else layer[0] + value
        layer[1] = mx.full((1, 8), value)
    elif isinstance(layer, LayerCache):
        layer.update_window(new[:, 0])
        layer.pending_kv = new[:, 0]
    else:
        if isinstance(layer, ChunkedKVCache):
            layer.maybe_trim_front()
        layer.update_and_fetch(new, new)


def contents(cache: list[Any]) -> list[Any]:
    """Every number a cache holds or counts by."""
    return [_contents(vars(layer)) for layer in cache]


def _contents(value: Any) -> Any:
    if isinstance(value, mx.array):
        return np.array(value).tolist()
    if isinstance(value, dict):
        return {key: _contents(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_contents(one) for one in value]
    return _contents(vars(value)) if hasattr(value, "__dict__") else value


def filled(maker: str, *lengths: int) -> list[Any]:
    cache = [MAKERS[maker](), MAKERS[maker]()]
    for value, length in enumerate(lengths, start=1):
        for layer in cache:
            write(layer, length, float(value))
    return cache


def test_every_type_of_cache_is_tried_here() -> None:
    types = {
        name
        for name, kind in vars(mlx_caches).items()
        if inspect.isclass(kind) and kind.__module__ == mlx_caches.__name__ and hasattr(kind, "nbytes")
    }
    assert types - OF_BATCHES <= MAKERS.keys()


@pytest.mark.parametrize("maker", MAKERS)
@settings(deadline=None, max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    trim=st.integers(0, 20),
    more=st.lists(st.integers(1, 40), min_size=1, max_size=3),
)
def test_what_a_reader_does_to_its_copy_changes_nothing_for_others(
    maker: str, lengths: list[int], trim: int, more: list[int]
) -> None:
    stored = filled(maker, *lengths)
    before = contents(stored)
    copies = [copy_caches(stored), copy_caches(stored)]
    if can_trim(stored):
        copies[0] = trim_copy(stored, trim)
    for copy in copies:
        for length in more:
            for layer in copy:
                write(layer, length, -7.0)
    assert contents(stored) == before


@pytest.mark.parametrize(
    "maker", ["KVCache", "QuantizedKVCache", "QuantizedKV", "RotatingKVCache", "ChunkedKVCache"]
)
def test_trimmed_caches_go_on_as_if_they_had_never_been_longer(maker: str) -> None:
    once, again = filled(maker, 10, 2), trim_copy(filled(maker, 10, 7), 7)
    for layer in again:
        write(layer, 2, 2.0)
    assert [_kept(layer) for layer in again] == [_kept(layer) for layer in once]


def _kept(layer: Any) -> Any:
    return [_contents(part) for part in layer.keys_and_values()]


@each(
    ("maker", "length", "is_possible"),
    [
        ("KVCache", 100, True),
        ("QuantizedKVCache", 100, True),
        ("QuantizedKV", 100, True),
        ("RotatingKVCache", 20, True),
        ("RotatingKVCache", 40, False),
        ("ChunkedKVCache", 20, True),
        ("ConcatenateKVCache", 20, False),
        ("ArraysCache", 20, False),
        ("CacheList", 20, True),
        ("CacheList", 40, False),
        ("CacheList in CacheList", 20, False),
        ("LayerCache", 20, False),
    ],
)
def test_only_caches_that_can_go_back_do(maker: str, length: int, is_possible: bool) -> None:
    assert can_trim(filled(maker, length)) is is_possible
    if not is_possible:
        with pytest.raises(ValueError, match="cannot be trimmed"):
            trim_copy(filled(maker, length), 1)


def test_a_chunk_that_was_dropped_is_not_gone_back_to() -> None:
    assert not can_trim(filled("ChunkedKVCache", 30, 10))


def test_only_plain_caches_can_go_back_however_long_they_grow() -> None:
    assert {maker for maker in MAKERS if can_always_trim([MAKERS[maker]()])} == {
        "KVCache",
        "QuantizedKVCache",
        "QuantizedKV",
    }


def test_what_cannot_be_merged_is_named() -> None:
    assert {maker: unmergeable_type([KVCache(), MAKERS[maker]()]) for maker in MAKERS} == {
        "KVCache": "",
        "QuantizedKVCache": "QuantizedKVCache",
        "QuantizedKV": "",
        "RotatingKVCache": "",
        "RotatingKVCache that keeps": "RotatingKVCache with keep",
        "ConcatenateKVCache": "ConcatenateKVCache",
        "ChunkedKVCache": "ChunkedKVCache",
        "ArraysCache": "",
        "CacheList": "",
        "CacheList in CacheList": "",
        "LayerCache": "LayerCache",
    }


def test_only_what_mlx_lm_can_read_back_is_saved() -> None:
    mlx_lm_patches.patch_models()  # it adds our type to those that are read back
    assert {maker for maker in MAKERS if not can_be_saved([MAKERS[maker]()])} == {"LayerCache"}
