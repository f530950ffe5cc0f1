"""The figures of an answer that ends early, and of one that is continued."""

import pytest

from inference.core.events import Accepted, Finished, Progress, ReasoningDelta, TextDelta, Timings, Usage
from playground.answer_figures import AnswerFigures
from tests.each import each

END = Finished(
    usage=Usage(prompt_tokens=50, completion_tokens=30, cached_tokens=45), timings=Timings(decode_s=3)
)
FIRST = {
    "tokens": 20,
    "reasoning_tokens": 4,
    "prompt_tokens": 12,
    "cached_tokens": 2,
    "drafted_tokens": 0,
    "accepted_tokens": 0,
    "per_second": 20.0,
    "first_token_s": 0.5,
    "total_s": 2.0,
    "reason": "length",
}


def test_a_stopped_answer_has_the_tokens_that_came() -> None:
    figures = AnswerFigures(None, is_continued=False)
    for event in (
        Accepted(prompt_tokens=12),
        Progress(phase="prefill", done=12, total=12, cached=8),
        ReasoningDelta(text="hm", tokens=3),
        TextDelta(text="Hello", tokens=2),
    ):
        figures.note(event)
    early = figures.ended_early("stopped")
    assert early
    assert (early["tokens"], early["reasoning_tokens"], early["prompt_tokens"]) == (5, 3, 12)
    assert (early["cached_tokens"], early["reason"]) == (8, "stopped")
    assert 0 <= early["first_token_s"] <= early["total_s"]
    assert "continued" not in early


def test_an_answer_without_a_token_has_no_figures_of_its_own() -> None:
    assert AnswerFigures(None, is_continued=False).ended_early("stopped") is None
    assert AnswerFigures(FIRST, is_continued=True).ended_early("failed") == FIRST


def test_a_continued_answer_has_the_sums_and_the_first_prompt() -> None:
    figures = AnswerFigures(FIRST, is_continued=True)
    figures.note(TextDelta(text="on"))
    whole = figures.finished(END, "stop")
    assert (whole["tokens"], whole["reasoning_tokens"], whole["prompt_tokens"]) == (50, 4, 12)
    assert (whole["cached_tokens"], whole["first_token_s"], whole["reason"]) == (2, 0.5, "stop")
    assert whole["total_s"] >= 2.0 and whole["continued"] == 1
    assert whole["per_second"] == pytest.approx(50 / (20 / 20 + 30 / 10))


def test_one_that_is_continued_twice_counts_both() -> None:
    once = AnswerFigures(FIRST, is_continued=True).finished(END, "length")
    twice = AnswerFigures(once, is_continued=True).finished(END, "stop")
    assert (twice["tokens"], twice["continued"], twice["prompt_tokens"]) == (80, 2, 12)


@each("before", [None, {}, {"tokens": "many", "per_second": None, "total_s": True}])
def test_figures_that_are_missing_or_none_count_as_nothing(before: dict[str, object] | None) -> None:
    whole = AnswerFigures(before, is_continued=True).finished(END, "stop")
    assert (whole["tokens"], whole["prompt_tokens"], whole["per_second"]) == (30, 50, 10.0)
