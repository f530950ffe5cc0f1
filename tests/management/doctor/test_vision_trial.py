"""The trial of a model that sees: what it is asked, and which answers count."""

from typing import Any

import pytest

from inference.core.events import Accepted, Ended, Finished, TextDelta, Usage
from inference.core.requests import PICTURE
from inference.management.doctor import vision_trial
from inference.management.doctor.vision_trial import DrawnPicture
from inference.serving import picture_check
from tests.each import each
from tests.fakes import GB, EventRunner, FakeRunner, card, serving

SEEING: dict[str, Any] = {"sees": True, "picture_tokens": 64}


def saying(text: str) -> EventRunner:
    ended = (Ended(reason="stop"), Finished(usage=Usage(prompt_tokens=3, completion_tokens=2)))
    return EventRunner(Accepted(prompt_tokens=3), TextDelta(text=text), *ended)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages of the extra are there, which draw and look."""
    monkeypatch.setattr(picture_check, "is_installed", lambda: True)


def of_trial(runner: FakeRunner, model: str = "", **changes: Any) -> list[tuple[str, str]]:
    cards = [
        card("large", resident_bytes=9 * GB, **SEEING),
        card("small", **(SEEING | changes)),
        card("blind"),
    ]
    with serving(runner, cards=cards):
        return [(result.state, result.text) for result in vision_trial.vision_trial(model)]


@pytest.mark.usefixtures("drawn")
def test_the_smallest_model_that_sees_is_asked_about_six_pictures() -> None:
    runner = saying("Red, a triangle: three on the LEFT. HARBOUR 4207!")
    *results, summary = of_trial(runner)
    assert summary == ("good", "small saw 6 of 6 pictures correctly")
    assert [state for state, _ in results] == ["good"] * 6
    pictures = [request.messages[0].pictures[0] for request in runner.requests]  # type: ignore[union-attr]
    assert len({picture.data for picture in pictures}) == 6
    assert {picture.media_type for picture in pictures} == {"image/png"}
    assert all(request.messages[0].content[0] == PICTURE for request in runner.requests)  # type: ignore[union-attr]


@pytest.mark.usefixtures("drawn")
def test_what_it_says_wrongly_is_shown() -> None:
    results = of_trial(saying("It is\nreddish, or  left"))
    assert results[0] == ("look", "it should see red, and says: It is reddish, or left")
    assert results[3][0] == "good"  # it is on the left
    assert results[-1] == ("look", "small saw 1 of 6 pictures correctly")


@pytest.mark.usefixtures("drawn")
def test_one_that_sees_nothing_rightly_is_wrong() -> None:
    assert of_trial(saying(""))[-1] == ("wrong", "small saw 0 of 6 pictures correctly")


@pytest.mark.usefixtures("drawn")
def test_one_that_does_not_load_is_said_once() -> None:
    results = of_trial(FakeRunner(load_error="no weights"))
    assert len(results) == 1 and results[0][0] == "wrong" and "no weights" in results[0][1]


@pytest.mark.usefixtures("drawn")
def test_a_model_can_be_named() -> None:
    assert of_trial(saying("red"), "large")[-1][1].startswith("large saw 1")
    assert of_trial(saying("red"), "blind") == [("look", "blind is not a vision model.")]


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_check, "is_installed", lambda: False)
    assert of_trial(saying("red")) == [("look", "small sees, but mlx-vlm or Pillow is not installed.")]


def test_without_a_model_that_sees_it_says_so() -> None:
    with serving(cards=[card()]):
        (result,) = vision_trial.vision_trial()
    assert (result.state, "pull" in result.advice) == ("look", True)


@each(
    ("answer", "is_right"),
    [("Three.", True), ("**3**", True), ("There are 3 squares", True), ("13", False), ("threefold", False)],
)
def test_a_word_counts_where_it_stands_alone(answer: str, is_right: bool) -> None:
    picture = DrawnPicture("count", "How many?", ("3", "three"), b"")
    assert (vision_trial.result_of(picture, answer).state == "good") is is_right
