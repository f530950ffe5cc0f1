"""How wide the next step is."""

from inference.worker.speculation.costs import StepCosts
from inference.worker.speculation.drafter import NO_DRAFT, Draft
from inference.worker.speculation.plan import MAX_DRAFT, best_plan
from tests.each import each

SURE = Draft(tuple(range(MAX_DRAFT)), match=32, rate=0.99)
DOUBTFUL = Draft(tuple(range(MAX_DRAFT)), match=2, rate=0.3)


def costs(rows: int, slope: float) -> StepCosts:
    made = StepCosts()
    for _ in range(5):
        made.record(rows, 1, 1.0, rows)
    made.record(rows, 2, 1 + slope, 2 * rows)
    return made


def test_nothing_is_drafted_before_plain_steps_are_measured() -> None:
    assert best_plan([SURE], StepCosts()).width == 1


def test_without_drafts_a_step_is_plain() -> None:
    assert best_plan([NO_DRAFT, NO_DRAFT], costs(2, 0.0)).width == 1


def test_sure_drafts_are_as_long_as_they_are_cheap() -> None:
    assert best_plan([SURE], costs(1, 0.01)).width == 16
    assert best_plan([SURE], costs(1, 0.95)).width == 1


def test_doubtful_drafts_are_short_or_left() -> None:
    assert 1 < best_plan([DOUBTFUL], costs(1, 0.05)).width < 9
    assert best_plan([DOUBTFUL], costs(1, 0.3)).width == 1


def test_one_sure_row_of_many_does_not_slow_the_others_down() -> None:
    assert best_plan([SURE, *[NO_DRAFT] * 7], costs(8, 0.4)).width == 1
    assert best_plan([SURE] * 8, costs(8, 0.4)).width > 1


def test_a_guess_counts_for_less() -> None:
    doubtful = Draft(tuple(range(4)), match=2, rate=0.4)
    assert best_plan([doubtful], costs(1, 0.15)).width > 1
    assert best_plan([doubtful], costs(1, 0.15), is_guess=True).width == 1


@each(("length", "width"), [(1, 2), (3, 3), (4, 5), (15, 16)])
def test_no_step_is_wider_than_its_longest_draft(length: int, width: int) -> None:
    assert best_plan([SURE.first(length), NO_DRAFT], costs(2, 0.0)).width == width


def test_many_rows_are_verified_in_narrow_steps() -> None:
    assert best_plan([SURE] * 32, costs(32, 0.0)).width == 3
