"""How many drafted tokens were right."""

from inference.worker.speculation.draft_counts import DraftCounts, DraftTotals


def test_counts_of_steps_add_up_and_those_of_predictions_apart() -> None:
    totals = DraftTotals()
    for counts in (DraftCounts(5, 2), None, DraftCounts(4, 4, is_predicted=True), DraftCounts(3, 0, True)):
        totals.add(counts)
    assert totals == DraftTotals(drafted=12, accepted=6, predicted=7, accepted_predicted=4)
