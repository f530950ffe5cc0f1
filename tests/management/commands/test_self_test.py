import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inference.models import ServedModel
from tests.fakes import FakeRunner, card, serving
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db


def self_test(*arguments: str) -> str:
    out = StringIO()
    call_command("self_test", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_and_stores_what_was_found(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "tiny")
    with serving(FakeRunner(), cards=[card("tiny", path=str(tmp_path / "tiny"), aliases=("t",))]):
        report = json.loads(self_test("t", "--json"))
        first, *others = self_test("tiny").splitlines()
    assert first == f"tiny: {report['summary']}."
    assert others == (report["texts"] or ["No problems were found."])
    assert ServedModel.objects.get(name="tiny").findings is not None


def test_an_unknown_model_is_refused() -> None:
    with serving(FakeRunner(), cards=[]), pytest.raises(CommandError, match="no model 'nobody'"):
        self_test("nobody")
