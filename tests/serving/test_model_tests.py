"""Self-tests on an operator's request, with real files and the real process."""

from pathlib import Path

import pytest

from inference.core.errors import ModelNotFound
from inference.core.model_card import ModelCard
from inference.models import ServedModel
from inference.serving import model_tests
from inference.serving.model_tests import NotTested, SelfTestReport
from tests.fakes import FakeRunner, card, serving
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db


def tiny(folder: Path) -> ModelCard:
    make_tiny_model(folder / "tiny")
    return card("tiny", path=str(folder / "tiny"), aliases=("t",))


def test_what_was_found_is_stored_and_in_words(tmp_path: Path) -> None:
    with serving(FakeRunner(), cards=[tiny(tmp_path)]):
        report = model_tests.run_one("t")
        (again, gone) = model_tests.run(["tiny", "gone"])
    assert isinstance(again, SelfTestReport) and again == report
    assert report.model == "tiny" and report.summary and not report.is_earlier_in_memory
    assert ServedModel.objects.get(name="tiny").stored_findings == report.findings
    assert gone == NotTested("gone", "The folder of gone does not exist.")


def test_one_that_does_not_exist_is_refused() -> None:
    with serving(FakeRunner(), cards=[]), pytest.raises(ModelNotFound):
        model_tests.run_one("nobody")
