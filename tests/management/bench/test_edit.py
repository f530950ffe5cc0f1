"""The row of edits: what it asks, and what it counts."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.management.bench import edit
from inference.management.bench.timed_answer import AnswerRound, TimedAnswer


def answer(text: str, rate: float) -> TimedAnswer:
    return TimedAnswer(
        sent=0,
        begun=0,
        ended=100 / rate,
        pieces=(0.0,),
        tokens=101,
        prompt_tokens=9,
        cached_tokens=0,
        text=text,
    )


class Server:
    """A server that edits as it is told, twice as fast where it gets a prediction."""

    def __init__(self, name: str, slow: float) -> None:
        self.name, self.slow = name, slow
        self.asked: list[dict[str, Any]] = []

    def ask(self, model: Path, bodies: list[dict[str, Any]]) -> AnswerRound:
        self.asked += bodies
        rate = self.slow * (2 if "prediction" in bodies[0] else 1)
        return AnswerRound(tuple(answer("Eleanor lived.", rate) for _ in bodies))


def bench(*, has_theirs: bool = False) -> Any:
    return SimpleNamespace(
        ours=Server("ours", 10),
        theirs=Server("mlx_lm.server", 5) if has_theirs else None,
        models=SimpleNamespace(first=Path("m")),
        is_quick=False,
        repetitions=lambda title: range(3),
    )


def test_each_edit_is_predicted_to_be_the_text_with_the_old_name() -> None:
    run = bench()
    list(edit.measure(run))
    predicted = [body for body in run.ours.asked if "prediction" in body]
    assert {body["prediction"]["content"] for body in predicted[-8:]} == {f"{n} lived." for n in edit._NAMES}
    assert all(body["speculative"] is False for body in run.ours.asked if "prediction" not in body)


def test_drafts_are_compared_with_plain_decoding_and_with_the_other_server() -> None:
    figures = list(edit.measure(bench(has_theirs=True)))
    ratios = {(figure.what, figure.against): figure.ratio and figure.ratio.median for figure in figures}
    assert ratios["1 edit, decode", "without drafts"] == pytest.approx(2)
    assert ratios["8 edits, decode", "mlx_lm.server"] == pytest.approx(4)
    assert len(figures) == 6 and all(figure.is_met is not False for figure in figures)


def test_a_server_that_knows_no_opt_out_is_not_sent_one() -> None:
    run = bench(has_theirs=True)
    list(edit.measure(run))
    assert all("speculative" not in body for body in run.theirs.asked)
