"""What the answers of a model have been decides the first slice of the next one."""

import pytest

from inference.pool.residency.answer_lengths import UNKNOWN, AnswerLengths


def lengths(*tokens: int) -> AnswerLengths:
    made = AnswerLengths()
    for one in tokens:
        made.add("a", one)
    return made


@pytest.mark.parametrize("known", [(), (3,) * 7])
def test_a_few_answers_say_nothing(known: tuple[int, ...]) -> None:
    assert (lengths(*known).median("a"), lengths(*known).most("a")) == (UNKNOWN, UNKNOWN)


def test_half_of_the_answers_fit_into_the_median_and_nearly_all_into_the_other() -> None:
    made = lengths(*range(10, 2010, 20))
    assert (made.median("a"), made.most("a")) == (1024, 1920)
    assert (made.median("b"), made.most("b")) == (UNKNOWN, UNKNOWN)


def test_short_answers_still_get_some_tokens() -> None:
    assert lengths(*[0] * 20).median("a") == 64


def test_old_answers_are_forgotten() -> None:
    assert lengths(*[5000] * 200, *[50] * 128).most("a") == 64
