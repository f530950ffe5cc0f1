from inference.admin.dashboard.sparkline import line
from tests.admin.dashboard.samples import sample

GB = 10**9


def test_nothing_is_drawn_before_the_first_sample() -> None:
    assert (line([]).held, line([]).rate) == ("", "")


def test_the_present_is_at_the_right_and_the_past_to_its_left() -> None:
    drawn = line([sample(at=100), sample(at=3700)])
    assert [point.split(",")[0] for point in drawn.held.split()] == ["0.0", "720.0"]


def test_memory_is_a_share_of_the_budget_and_the_rate_of_the_highest() -> None:
    drawn = line([sample(held=0, free=4 * GB, rate=5), sample(held=GB, free=3 * GB, rate=10)])
    assert [point.split(",")[1] for point in drawn.held.split()] == ["100.0", "75.0"]
    assert [point.split(",")[1] for point in drawn.rate.split()] == ["50.0", "0.0"]


def test_an_idle_hour_lies_on_the_ground() -> None:
    assert line([sample(free=0)]).rate.endswith(",100.0")
