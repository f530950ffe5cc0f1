"""What is dropped first."""

import pytest

from inference.worker.prefix_cache.eviction_order import RANKS, Cost, PrefixUse, UsualGap, eviction_order

LIMIT = 1000
EVEN = Cost(10, 10)


def order(usage: PrefixUse, now: int, *, cost: Cost = EVEN, is_lent: bool = False) -> tuple[int, float]:
    return eviction_order(usage, cost, now=now, limit=LIMIT, keep=LIMIT, usual_gap=LIMIT, is_lent=is_lent)


def returned(*times: int) -> PrefixUse:
    usage = PrefixUse(times[0])
    for time in times[1:]:
        usage.note_return(time)
    return usage


def test_it_is_expected_after_the_shorter_of_its_last_two_gaps() -> None:
    assert [returned(*times).expected for times in ((0,), (0, 300), (0, 300, 310), (0, 10, 310, 910))] == [
        0,
        300,
        10,
        300,
    ]


def test_each_rank_is_dropped_before_the_next() -> None:
    now = 10_000
    by_rank = [
        order(returned(now - 20, now - 10), now, is_lent=True),
        order(PrefixUse(now - 501), now),
        order(returned(now - 1100, now - 1001), now),
        order(PrefixUse(now - 499), now),
        order(returned(now - 1100, now - 999), now),
    ]
    assert [rank for rank, _ in by_rank] == list(range(len(RANKS)))


def test_of_those_that_take_turns_the_one_that_is_due_is_dropped_last() -> None:
    turns = {name: returned(start, start + 500) for start, name in enumerate("abcde")}
    places = {name: order(usage, 1000) for name, usage in turns.items()}
    assert min(places, key=places.__getitem__) == "e" and max(places, key=places.__getitem__) == "a"


def test_one_that_is_long_overdue_is_dropped_before_one_that_is_not() -> None:
    assert order(returned(0, 100), 900) < order(returned(500, 600), 900)


@pytest.mark.parametrize(("cheap", "dear"), [(Cost(10, 1), Cost(10, 10)), (Cost(100, 10), Cost(10, 10))])
def test_what_is_cheap_to_compute_again_for_its_bytes_goes_first(cheap: Cost, dear: Cost) -> None:
    usage = returned(0, 100)
    assert order(usage, 300, cost=cheap) < order(usage, 300, cost=dear)


def test_the_usual_gap_follows_those_that_are_seen() -> None:
    usual = UsualGap()
    assert usual.of(LIMIT) > LIMIT
    usual.note(400)
    for _ in range(30):
        usual.note(8)
    assert usual.of(LIMIT) == pytest.approx(8, abs=1)
