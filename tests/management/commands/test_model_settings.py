import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inference.management.client import NotRunning
from inference.management.commands import model_settings
from inference.models import ServedModel
from tests.fakes import FakeRunner, card, serving
from tests.management.fake_site import run
from tests.management.in_process_site import InProcessSite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner(), cards=[card("tiny"), card("small")]):
        yield


def offline(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    def nothing(*args: object) -> None:
        raise NotRunning("No site is running.")

    monkeypatch.setattr(model_settings.Command, "client", nothing)
    out = StringIO()
    call_command("model_settings", *arguments, stdout=out)
    return out.getvalue()


def test_they_are_changed_and_shown_through_the_running_site() -> None:
    printed = run(
        *(model_settings.Command, InProcessSite()),
        *("tiny", "context_cap=512", "draft_model=small", "is_enabled=false", "--json"),
    )
    shown: dict[str, Any] = json.loads(printed)
    assert (shown["context_cap"], shown["draft_model"], shown["is_enabled"]) == (512, "small", False)
    assert ServedModel.objects.get(name="tiny").draft_model == "small"


def test_without_a_site_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = offline(monkeypatch, "tiny", "temperature=0.5", "top_k=3").splitlines()
    assert lines[0].split() == ["SETTING", "VALUE"]
    assert ["temperature", "0.5"] in [line.split() for line in lines]
    assert ["draft_model", "–"] in [
        line.split() for line in offline(monkeypatch, "tiny", "top_k=").splitlines()
    ]
    assert ServedModel.objects.get(name="tiny").top_k is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nobody",), "no model 'nobody'"),
        (("tiny", "colour=red"), "the names are is_enabled"),
        (("tiny", "context_cap"), "is not NAME=VALUE"),
        (("tiny", "context_cap=many"), "context_cap is a number"),
        (("tiny", "context_cap=NaN"), "context_cap is a number"),
        (("tiny", "context_cap=" + "[" * 5000), "context_cap is a number"),
        (("tiny", "is_enabled=1"), "'is_enabled' is not valid"),
        (("tiny", "draft_model=tiny"), "cannot draft"),
    ],
)
def test_what_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], text: str
) -> None:
    with pytest.raises(CommandError, match=text):
        offline(monkeypatch, *arguments)
