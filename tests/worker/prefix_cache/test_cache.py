"""The prefix cache: what is found, by whom, and what is forgotten first."""

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import KVCache, RotatingKVCache

from inference.worker.prefix_cache.cache import MIN_TOKENS, PrefixCache, boundaries
from inference.worker.prefix_cache.entry import common_length

pytestmark = pytest.mark.mlx
BYTES_PER_TOKEN = 2 * 2 * 4 * 4  # keys and values, two heads of four floats


def kv(length: int) -> list[Any]:
    cache = KVCache()
    cache.keys = cache.values = (
        mx.broadcast_to(mx.arange(length)[None, None, :, None], (1, 2, length, 4)) * 1.0
    )
    cache.offset = length
    return [cache]


def window(length: int, size: int) -> list[Any]:
    cache = RotatingKVCache(max_size=size)
    cache.update_and_fetch(mx.zeros((1, 2, length, 4)), mx.zeros((1, 2, length, 4)))
    return [cache]


def numbers(length: int, start: int = 0) -> list[int]:
    return list(range(start, start + length))


def filled(*lengths: int, limit: int = 10**6) -> PrefixCache:
    """Entries with nothing in common, in this order."""
    prefix_cache = PrefixCache(limit)
    for i, length in enumerate(lengths):
        prefix_cache.store("me", numbers(length, start=1000 * i), kv(length))
    return prefix_cache


def found_length(prefix_cache: PrefixCache, prompt: list[int], owner: str = "me") -> int:
    found = prefix_cache.lookup(owner, prompt)
    return found.length if found else 0


@pytest.mark.parametrize(
    ("prompt", "length"),
    [
        (numbers(50), 40),  # longer than what is known
        (numbers(40), 39),  # the same: its last token is left to compute
        (numbers(30), 29),  # shorter
        (numbers(25) + [7, 7, 7], 25),  # an edit of an earlier turn
        (numbers(MIN_TOKENS - 1) + [7, 7, 7], 0),  # too little to be of use
        ([9] + numbers(40), 0),  # another beginning
    ],
)
def test_it_finds_the_common_beginning(prompt: list[int], length: int) -> None:
    assert found_length(filled(40), prompt) == length


def test_what_it_gives_is_cut_to_the_common_beginning() -> None:
    found = filled(40).lookup("me", numbers(25) + [7, 7])
    assert found and [layer.offset for layer in found.cache] == [25]


def test_using_an_entry_leaves_it_whole() -> None:
    prefix_cache = filled(40)
    found_length(prefix_cache, numbers(20))
    assert found_length(prefix_cache, numbers(60)) == 40


@pytest.mark.parametrize("other", ["", "you", "me2", "ME"])
def test_nobody_finds_anothers_prompt(other: str) -> None:
    assert found_length(filled(40), numbers(50), owner=other) == 0


def test_a_longer_chat_takes_the_place_of_its_beginning() -> None:
    prefix_cache = filled(40)
    prefix_cache.store("me", numbers(60), kv(60))
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [60]


def test_anothers_longer_chat_does_not() -> None:
    prefix_cache = filled(40)
    prefix_cache.store("you", numbers(60), kv(60))
    assert found_length(prefix_cache, numbers(50)) == 40


def test_it_counts_its_bytes_and_stays_below_its_limit() -> None:
    prefix_cache = filled(40, 50, 60, limit=120 * BYTES_PER_TOKEN)
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [50, 60]
    assert prefix_cache.bytes == 110 * BYTES_PER_TOKEN


def test_it_forgets_what_was_not_used_for_longest() -> None:
    prefix_cache = filled(40, 50)
    found_length(prefix_cache, numbers(40))
    prefix_cache.shed(40 * BYTES_PER_TOKEN)
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [40]


def test_shedding_everything_leaves_nothing() -> None:
    prefix_cache = filled(40, 50)
    prefix_cache.shed(0)
    assert (prefix_cache.bytes, prefix_cache.entries) == (0, ())


def test_what_is_larger_than_the_limit_is_not_kept_and_costs_nobody_their_place() -> None:
    prefix_cache = filled(40, limit=50 * BYTES_PER_TOKEN)
    prefix_cache.store("me", numbers(60, start=5000), kv(60))
    assert [len(entry.tokens) for entry in prefix_cache.entries] == [40]


def test_a_window_that_has_moved_is_used_as_a_whole_or_not_at_all() -> None:
    prefix_cache = PrefixCache(10**6)
    prefix_cache.store("me", numbers(40), window(40, size=20))
    assert found_length(prefix_cache, numbers(60)) == 40
    assert found_length(prefix_cache, numbers(30) + [7, 7]) == 0


def test_the_checkpoints_of_a_window_are_kept_beside_one_another() -> None:
    prefix_cache = PrefixCache(10**6)
    for length in (30, 40, 50):
        prefix_cache.store("me", numbers(length), window(length, size=20))
    assert found_length(prefix_cache, numbers(45) + [7, 7]) == 40


def test_messages_end_where_their_terminators_are() -> None:
    end = 999
    prompt = [*numbers(20), end, *numbers(20), end, *numbers(20), end, *numbers(5), end, *numbers(9), end]
    assert boundaries(prompt, {end}) == [21, 42, 63, 69]
    assert boundaries(prompt, {end}, most=2) == [21, 69]
    assert boundaries(numbers(10) + [end] + numbers(9), {end}) == []


def test_common_length() -> None:
    one = np.array([1, 2, 3], dtype=np.int32)
    assert [common_length(one, np.array(x, dtype=np.int32)) for x in ([], [1], [1, 9], [1, 2, 3, 4])] == [
        0,
        1,
        1,
        3,
    ]
