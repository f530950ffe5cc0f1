"""Spreads, ratios and aims."""

from inference.management.bench.figures import Aim, figure, spread
from tests.each import each


def test_a_spread_is_the_median_with_the_least_and_the_most() -> None:
    found = spread([5.0, 1.0, 3.0])
    assert found
    assert (found.median, found.least, found.most) == (3.0, 1.0, 5.0)


def test_nothing_measured_has_no_spread() -> None:
    assert spread([]) is None


def test_ratios_are_of_pairs_measured_together() -> None:
    # A slow minute halves both sides of the second pair: its ratio is what the others are.
    one = figure("row", "what", "tok/s", [20, 10, 20], [10, 5, 10])
    assert one.ratio
    assert (one.ratio.least, one.ratio.most) == (2, 2)


def test_a_failed_repetition_counts_for_neither_side() -> None:
    one = figure("row", "what", "tok/s", [20, 30, None], [10, None, 10])
    assert one.ratio
    assert (one.ratio.median, one.ratio.most) == (2, 2)


@each(
    ("aim", "value", "is_met"),
    [
        (Aim(sign=">=", value=1.15), 1.15, True),
        (Aim(sign=">=", value=1.15), 1.14, False),
        (Aim(sign="<=", value=0.15), 0.15, True),
        (Aim(sign="<=", value=0.15), 0.16, False),
        (Aim(sign="<", value=2), 1.99, True),
        (Aim(sign="<", value=2), 2, False),
    ],
)
def test_an_aim_is_met_or_missed(aim: Aim, value: float, is_met: bool) -> None:
    assert aim.is_met_by(value) is is_met


def test_an_aim_may_be_of_our_own_figure() -> None:
    one = figure("start", "to /health", "s", [1.5, 1.7, 1.6], aim=Aim(sign="<", value=2, of="ours"))
    assert one.is_met is True


def test_an_aim_against_nobody_is_neither_met_nor_missed() -> None:
    assert figure("row", "what", "tok/s", [20.0], aim=Aim(sign=">=", value=1)).is_met is None


def test_a_note_is_kept_once() -> None:
    assert figure("row", "what", "s", [1.0], notes=["late", "late", "lost"]).notes == ("late", "lost")
