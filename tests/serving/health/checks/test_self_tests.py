"""Models whose self-test failed."""

import msgspec
import pytest

from inference.core.model_card import Finding
from inference.models import ServedModel
from inference.serving.health.checks import self_tests
from tests.fakes import card, serving

pytestmark = pytest.mark.django_db


def with_findings(name: str, *findings: Finding) -> None:
    ServedModel.objects.create(name=name, findings=msgspec.to_builtins(findings))


def test_a_model_that_cannot_chat_is_wrong_and_one_without_tools_is_not() -> None:
    red = {"light": "red", "text": "it is broken"}
    with_findings("chatless", Finding(about="chat", **red))  # type: ignore[arg-type]
    with_findings("toolless", Finding(about="tools", **red))  # type: ignore[arg-type]
    with_findings("amber", Finding(light="amber", about="roles", text="no system message"))
    with_findings("gone", Finding(about="chat", **red))  # type: ignore[arg-type]
    with serving(cards=[card("chatless"), card("toolless"), card("amber")]):
        found = {result.text: result.state for result in self_tests.check()}
    assert found == {"chatless: it is broken": "wrong", "toolless: it is broken": "look"}


def test_all_is_well() -> None:
    with serving(cards=[card()]):
        (result,) = self_tests.check()
    assert result.state == "good"
