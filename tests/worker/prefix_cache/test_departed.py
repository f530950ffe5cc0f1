"""What is remembered of prefixes that were dropped."""

import numpy as np
import pytest

from inference.worker.prefix_cache import departed as departed_module
from inference.worker.prefix_cache.departed import Departed
from inference.worker.prefix_cache.entry import Tokens
from inference.worker.prefix_cache.eviction_order import PrefixUse

pytestmark = pytest.mark.mlx


def numbers(length: int, start: int = 0) -> Tokens:
    return np.arange(start, start + length, dtype=np.int32)


def test_a_prompt_that_goes_on_from_one_finds_its_usage() -> None:
    departed = Departed()
    departed.add("me", numbers(10), PrefixUse(1))
    departed.add("me", numbers(20), PrefixUse(2))
    assert departed.find("me", numbers(30)) == (PrefixUse(2), 20)
    assert departed.find("me", numbers(15)) == (PrefixUse(1), 10)
    assert departed.find("you", numbers(30)) == departed.find("me", numbers(5)) == (None, 0)


def test_what_is_stored_again_is_forgotten_with_its_beginnings() -> None:
    departed = Departed()
    for length in (10, 20):
        departed.add("me", numbers(length), PrefixUse(length))
    assert departed.take("me", numbers(30)) == (PrefixUse(20), 20)
    assert departed.find("me", numbers(30)) == departed.take("me", numbers(30)) == (None, 0)


def test_the_oldest_are_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departed_module, "_MOST_TOKENS", 50)
    departed = Departed()
    for start in (0, 100, 200):
        departed.add("me", numbers(20, start), PrefixUse(start))
    assert [departed.find("me", numbers(20, start))[1] for start in (0, 100, 200)] == [0, 20, 20]


def test_dropping_one_again_counts_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departed_module, "_MOST_TOKENS", 50)
    departed = Departed()
    for _ in range(9):
        departed.add("me", numbers(20), PrefixUse(1))
    departed.add("me", numbers(20, 100), PrefixUse(2))
    assert [departed.find("me", numbers(20, start))[1] for start in (0, 100)] == [20, 20]


@pytest.mark.parametrize(("shared", "is_found"), [(80, True), (79, False)])
def test_a_prompt_that_leaves_one_near_its_end_continues_it(shared: int, is_found: bool) -> None:
    departed = Departed()
    departed.add("me", numbers(100), PrefixUse(1))
    prompt = np.append(numbers(shared), numbers(50, 500))
    assert departed.find("me", prompt) == ((PrefixUse(1), shared) if is_found else (None, 0))


def test_so_it_does_where_two_were_left_before() -> None:
    departed = Departed()
    for start in (500, 600):
        departed.add("me", np.append(numbers(80), numbers(20, start)), PrefixUse(start))
    usage, shared = departed.take("me", np.append(numbers(80), numbers(50, 700)))
    assert usage and shared == 80
    assert departed.find("me", np.append(numbers(80), numbers(50, 700))) == (None, 0)
