from inference.core.load_progress import LoadProgress
from inference.worker.model.load_report import LoadReport, part_of


def test_percentages_never_fall_and_stay_through_the_phases() -> None:
    sent: list[LoadProgress] = []
    report = LoadReport(sent.append, "weights")
    for percent in (10, 60, 60, 5, 100):
        report(percent)
    report.enter("verifying")
    facts = [(one.phase, one.percent) for one in sent]
    assert facts == [("weights", 0), ("weights", 10), ("weights", 60), ("weights", 100), ("verifying", 100)]


def test_a_part_of_a_load_has_its_share_of_the_percentages() -> None:
    sent: list[LoadProgress] = []
    report = LoadReport(part_of(sent.append, 0.6, 1.0), "draft")
    report(50)
    report(100)
    assert [one.percent for one in sent] == [60, 80, 100]
    assert {one.phase for one in sent} == {"draft"}
