"""What a step costs, from samples."""

import pytest

from inference.worker.speculation.costs import StepCosts


def measured(rows: int = 1, plain: float = 1.0, times: int = 5) -> StepCosts:
    costs = StepCosts()
    for _ in range(times):
        costs.record(rows, 1, plain, rows)
    return costs


def test_a_plain_step_is_measured_before_anything_else() -> None:
    assert measured(times=2).plain(1) is None
    assert measured(times=3).plain(1) == 1.0 and measured(times=3).plain(2) is None


def test_the_median_ignores_an_outlier() -> None:
    costs = measured()
    costs.record(1, 1, 100.0, 1)
    assert costs.plain(1) == 1.0


def test_an_unknown_width_is_estimated_from_the_others() -> None:
    costs = measured()
    assert costs.verified(1, 5, 1.0) == pytest.approx(1.24)
    costs.record(1, 3, 1.4, 3)
    assert costs.verified(1, 3, 1.0) == 1.4
    assert costs.verified(1, 5, 1.0) == pytest.approx(1.8)
    assert costs.verified(2, 5, 1.0) == pytest.approx(2.6)


def test_what_was_measured_long_ago_is_estimated_again() -> None:
    costs = measured()
    costs.record(1, 9, 50.0, 9)
    for _ in range(1100):
        costs.record(1, 1, 1.0, 1)
    costs.record(1, 2, 1.1, 2)
    for _ in range(9):
        costs.record(1, 2, 1.1, 2)
    assert costs.verified(1, 9, 1.0) < 2


def test_speculation_pauses_when_it_has_lost_too_much_and_comes_back() -> None:
    costs, states = measured(), []
    for width, seconds, times in ((1, 1.0, 1), (5, 3.0, 3), (1, 1.0, 300)):
        for _ in range(times):
            costs.record(1, width, seconds, 1)
        states.append(costs.may_speculate)
    assert states == [True, False, True]


def test_gains_are_no_licence_for_long_losses() -> None:
    costs = measured()
    for _ in range(100):
        costs.record(1, 5, 1.0, 5)
    for _ in range(10):
        costs.record(1, 5, 3.0, 1)
    assert not costs.may_speculate
