"""Prefixes in the tree: what another thread gets of them."""

import threading
from typing import Any

import numpy as np
import pytest

from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.prefix_cache.stored_prefix import caches_of
from tests.worker.prefix_cache.caches import contents, plain, windowed

pytestmark = pytest.mark.mlx


def grown(prefix_cache: PrefixCache, *lengths: int) -> None:
    for length in lengths:
        prefix_cache.store("me", list(range(length)), plain(list(range(length))))


def test_a_prefix_knows_its_tokens_and_all_its_bytes() -> None:
    prefix_cache = PrefixCache(10**9)
    grown(prefix_cache, 300, 500)
    (entry,) = prefix_cache.entries
    assert (entry.tokens.tolist(), entry.bytes) == (list(range(500)), prefix_cache.bytes)


def test_what_was_frozen_stays_whatever_becomes_of_the_tree() -> None:
    prefix_cache = PrefixCache(10**9)
    grown(prefix_cache, 300, 500)
    frozen = prefix_cache.entries[0].frozen()
    prefix_cache.store("me", [*range(100), 7, 7], plain([*range(100), 7, 7]))  # divides what is stored
    prefix_cache.shed(0)
    assert contents(frozen.cache) == contents(plain(list(range(500))))


def test_another_thread_joins_the_parts() -> None:
    prefix_cache, joined = PrefixCache(10**9), list[Any]()
    grown(prefix_cache, 300, 500)
    frozen = prefix_cache.entries[0].frozen()
    thread = threading.Thread(target=lambda: joined.extend(contents(frozen.cache)))
    thread.start()
    thread.join()
    assert joined == contents(plain(list(range(500))))


def test_states_are_copied_beside_what_is_joined() -> None:
    layers = windowed(list(range(20)))
    state = [None, layers[1]]
    made = caches_of([[layers[0], None]], state, 15, 5)
    assert contents(made) == contents(windowed(list(range(15))))
    made[1].trim(3)
    assert np.array(layers[1].offset) == 20
