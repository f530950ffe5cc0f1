"""What drafts of the draft model cost."""

from inference.worker.speculation.drafting_costs import DraftingCosts


def test_the_cost_is_a_share_of_a_plain_step_before_it_is_measured() -> None:
    costs = DraftingCosts()
    assert 0 < costs.seconds(1, 1, 1.0) < 0.5
    assert costs.seconds(1, 4, 1.0) == 4 * costs.seconds(1, 1, 1.0)


def test_the_cost_is_the_median_of_what_was_measured() -> None:
    costs = DraftingCosts()
    for seconds in (2.0, 2.0, 90.0):
        costs.record(2, 4, seconds)
    assert costs.seconds(2, 8, 1.0) == 4.0


def test_other_numbers_of_rows_are_estimated_from_the_measured_ones() -> None:
    costs = DraftingCosts()
    costs.record(1, 1, 0.25)
    assert costs.seconds(8, 2, 100.0) == 0.5
