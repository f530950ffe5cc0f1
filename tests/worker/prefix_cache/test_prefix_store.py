"""The stored prefixes against a comparison with every one, and what they share."""

import gc
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.worker.prefix_cache import cache as cache_module
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.prefix_cache.entry import PrefixEntry, common_length
from tests.worker.prefix_cache.caches import contents, packed, plain, quantised, recurrent, windowed

pytestmark = pytest.mark.mlx
BYTES_PER_TOKEN = 2 * 2 * 64 * 4  # two layers of keys and values, one head of 64 floats
MAKERS: dict[str, Callable[[list[int]], list[Any]]] = {
    "plain": plain,
    "packed": packed,
    "quantised": quantised,
    "windowed": windowed,
    "recurrent": recurrent,
}


def numbers(length: int, start: int = 0) -> list[int]:
    return list(range(start, start + length))


def naive_length(prefix_cache: PrefixCache, owner: str, prompt: list[int]) -> int:
    """The longest usable prefix by comparison with every entry."""
    best = cache_module.MIN_TOKENS - 1
    for entry in prefix_cache.entries:
        common = common_length(entry.tokens, np.array(prompt[:-1], np.int32))
        if entry.owner == owner and (entry.is_trimmable or common == len(entry.tokens)):
            best = max(best, common)
    return best if best >= cache_module.MIN_TOKENS else 0


def bytes_held(prefix_cache: PrefixCache) -> int:
    """The bytes of all entries, with what they share counted once."""
    parts = {node: entry.parts[node] for entry in prefix_cache.entries for node in entry.node.path}
    return sum(part.bytes for part in parts.values()) + sum(e.state_bytes for e in prefix_cache.entries)


SEQUENCE = st.lists(st.sampled_from([3, 7]), min_size=1, max_size=6).map(
    lambda ids: [token for number in ids for token in numbers(9, start=number)]
)
STEPS = st.tuples(st.sampled_from(["store", "restore", "lookup", "shed"]), st.sampled_from("ab"), SEQUENCE)


@pytest.mark.parametrize("can_trim", [True, False])
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@settings(deadline=None, max_examples=25)
@given(steps=st.lists(STEPS, min_size=3, max_size=14), limit=st.sampled_from([60, 10_000]))
def test_it_finds_what_a_comparison_with_every_entry_finds(
    maker: Callable[[list[int]], list[Any]],
    can_trim: bool,
    steps: list[tuple[str, str, list[int]]],
    limit: int,
) -> None:
    prefix_cache = PrefixCache(limit * BYTES_PER_TOKEN, can_trim=can_trim)
    for step, owner, ids in steps:
        if step == "store":
            prefix_cache.store(owner, ids, maker(ids))
            assert prefix_cache.bytes <= prefix_cache.limit
        elif step == "restore":
            entry = PrefixEntry(owner, np.array(ids, np.int32), maker(ids), 0, can_trim=can_trim)
            prefix_cache.restore(entry)
            prefix_cache.shed(prefix_cache.limit)
        elif step == "shed":
            keep = prefix_cache.bytes // 2
            prefix_cache.shed(keep)
            assert prefix_cache.bytes <= keep
        else:
            prompt, expected = [*ids, 1], naive_length(prefix_cache, owner, [*ids, 1])
            found = prefix_cache.lookup(owner, prompt)
            assert (found.length if found else 0) == expected
            if found:
                assert contents(found.cache) == contents(maker(prompt[: found.length]))
        assert prefix_cache.bytes == bytes_held(prefix_cache)


def test_a_common_beginning_is_held_once() -> None:
    prefix_cache = PrefixCache(10**9)
    for number in range(5):
        ids = [*numbers(1000), *numbers(100, start=5000 * (number + 1))]
        prefix_cache.store("me", ids, plain(ids))
    assert prefix_cache.bytes == (1000 + 5 * 100) * BYTES_PER_TOKEN
    found = prefix_cache.lookup("me", [*numbers(1000), *numbers(100, start=15000), 1])
    assert found and contents(found.cache) == contents(plain([*numbers(1000), *numbers(100, start=15000)]))


def test_owners_share_nothing() -> None:
    prefix_cache = PrefixCache(10**9)
    for owner in ("me", "you"):
        prefix_cache.store(owner, numbers(100), plain(numbers(100)))
    assert prefix_cache.bytes == 200 * BYTES_PER_TOKEN


def test_layers_that_can_be_cut_are_held_once_beside_states_that_cannot() -> None:
    prefix_cache = PrefixCache(10**9)
    for length in (400, 600, 800):
        prefix_cache.store("me", numbers(length), windowed(numbers(length)))
    window = 2 * 64 * 4 * 24
    states = sum(entry.state_bytes for entry in prefix_cache.entries)
    assert prefix_cache.bytes - states == 800 * BYTES_PER_TOKEN // 2 and states >= 3 * window
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [400, 600, 800]


def test_only_the_end_of_a_long_prefix_is_dropped_for_a_few_bytes() -> None:
    prefix_cache = PrefixCache(10**9)
    prefix_cache.store("me", numbers(4000), plain(numbers(4000)))
    prefix_cache.shed(3900 * BYTES_PER_TOKEN)
    (entry,) = prefix_cache.entries
    assert len(entry.tokens) == 2816  # a quarter is dropped, and what is left is a multiple of 256
    assert contents(entry.cache) == contents(plain(numbers(2816)))


def test_no_state_is_kept_without_what_leads_to_it() -> None:
    prefix_cache = PrefixCache(10**9)
    prefix_cache.store("me", numbers(800), windowed(numbers(800)))
    prefix_cache.shed(prefix_cache.bytes - 1)
    assert (prefix_cache.bytes, prefix_cache.entries) == (0, ())


def test_caches_of_another_kind_are_not_stored_beside_those_that_are_there() -> None:
    prefix_cache = PrefixCache(10**9)
    prefix_cache.store("me", numbers(40), plain(numbers(40)))
    prefix_cache.store("me", numbers(60), windowed(numbers(60)))
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [40]
    prefix_cache.shed(0)
    prefix_cache.store("me", numbers(60), windowed(numbers(60)))
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [60]


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_what_is_shed_is_free_at_once(maker: Callable[[list[int]], list[Any]]) -> None:
    """And not with the next collection of garbage, which may be far away: the pool counts on these bytes."""

    def held() -> int:
        mx.clear_cache()
        return int(mx.get_active_memory())

    gc.collect()
    gc.disable()
    try:
        before, prefix_cache = held(), PrefixCache(10**9)
        for start in (0, 9, 5000, 400):
            known = numbers(500) + numbers(200 + start // 9, start)
            prefix_cache.store("a", known, maker(known))
        prefix_cache.lookup("a", numbers(400))
        stored = held() - before
        assert stored > 10**5
        for share in (0.7, 0.3, 0.0):
            prefix_cache.shed(int(prefix_cache.bytes * share))
            after = held()
            gc.collect()
            assert held() == after
        assert after - before < stored // 20
    finally:
        gc.enable()
