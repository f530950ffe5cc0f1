from functools import partial

import pytest

from inference.serving.discovery.recent_results import RecentResults
from tests.pool.scene import Clock


def test_a_result_is_used_again_until_it_is_old() -> None:
    clock, made = Clock(), iter("abc")
    results: RecentResults[str] = RecentResults(most=5, fresh_s=10, clock=clock)
    assert [results.get("x", lambda: next(made)) for _ in range(2)] == ["a", "a"]
    clock.now += 10
    assert results.get("x", lambda: next(made)) == "b"
    results.forget()
    assert results.get("x", lambda: next(made)) == "c"


def test_the_oldest_are_forgotten() -> None:
    results: RecentResults[int] = RecentResults(most=2, fresh_s=10)
    for number in (1, 2, 1, 3):
        results.get(number, partial(int, number))
    assert results.get(2, lambda: 22) == 2
    assert results.get(1, lambda: 11) == 11


def test_an_error_is_not_kept() -> None:
    results: RecentResults[int] = RecentResults(most=2, fresh_s=10)
    with pytest.raises(ValueError):
        results.get("x", lambda: int("no number"))
    assert results.get("x", lambda: 1) == 1
