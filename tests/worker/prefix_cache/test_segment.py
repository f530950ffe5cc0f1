"""Segments: caches cut into parts and joined again are the same, and what is dropped is free."""

import gc
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.models.cache import KVCache, RotatingKVCache

from inference.worker.prefix_cache.segment import Segment, can_cut, cut, join, own
from tests.worker.prefix_cache.caches import contents, packed, plain, quantised

pytestmark = pytest.mark.mlx
TOKENS = list(range(3, 43))
MAKERS = {"plain": plain, "packed": packed, "quantised": quantised}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("edges", [(0, 40), (0, 1, 40), (0, 16, 17, 40)])
def test_parts_that_are_joined_are_what_was_cut(
    maker: Callable[[list[int]], list[Any]], edges: tuple[int, ...]
) -> None:
    whole = maker(TOKENS)
    parts = [own(cut(whole, start, end)) for start, end in zip(edges, edges[1:], strict=False)]
    assert contents(join(parts, 40)) == contents(whole)
    assert contents(join(parts, 39)) == contents(maker(TOKENS[:39]))


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_what_is_joined_goes_on_as_if_it_had_been_computed_at_once(
    maker: Callable[[list[int]], list[Any]],
) -> None:
    whole = maker(TOKENS)
    joined = join([own(cut(whole, 0, 10)), own(cut(whole, 10, 30))], 30)
    new = mx.ones((1, 1, 5, 64))
    again = maker(TOKENS[:30])
    for layer in (*joined, *again):
        layer.update_and_fetch(new, new)
    assert contents(joined) == contents(again)


def test_a_layer_without_keys_stays_empty() -> None:
    parts = [own(cut([KVCache()], 0, 5)), own(cut([KVCache()], 5, 9))]
    assert join(parts, 9)[0].empty() and Segment(parts[0]).bytes == 0


def test_only_what_has_a_place_for_each_token_is_cut() -> None:
    assert [can_cut(layer, 40) for layer in packed(TOKENS)] == [True, True]
    assert not can_cut(plain(TOKENS)[0], 41)
    assert not can_cut(RotatingKVCache(max_size=99), 0)


def large(tokens: int) -> list[Any]:
    layer = KVCache()
    layer.keys, layer.values, layer.offset = mx.ones((1, 4, tokens, 64)), mx.ones((1, 4, tokens, 64)), tokens
    return own([layer])


@pytest.mark.parametrize("dropped", [0, 1])
def test_what_is_dropped_of_a_divided_segment_is_free_at_once(dropped: int) -> None:
    mx.clear_cache()
    gc.collect()  # what earlier tests left in cycles would be freed while this one measures
    before = mx.get_active_memory()
    parts = list(Segment(large(8192)).split(2048))
    assert mx.get_active_memory() - before == sum(part.bytes for part in parts)  # divided without a copy
    parts.pop(dropped).drop()
    assert mx.get_active_memory() - before == pytest.approx(parts[0].bytes, rel=0.01)


def test_a_part_of_a_part_is_dropped_and_the_others_keep_their_numbers() -> None:
    first, rest = Segment(own(plain(TOKENS))).split(10)
    second, third = rest.split(10)
    second.drop()
    assert contents(first.layers) == contents(cut(plain(TOKENS), 0, 10))
    assert contents(third.layers) == contents(cut(plain(TOKENS), 20, 40))
