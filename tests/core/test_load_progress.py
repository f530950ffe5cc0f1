"""The progress of a load in words, here and in the playground."""

import re
from typing import get_args

import pytest

from inference.core.config import BASE_DIR
from inference.core.load_progress import LOAD_PHASES, LoadPhase, loading_text


def test_every_phase_has_its_words() -> None:
    assert tuple(LOAD_PHASES) == get_args(LoadPhase)


def test_the_playground_has_the_same_words() -> None:
    script = (BASE_DIR / "static/playground/load-phases.js").read_text()
    assert dict(re.findall(r'^  (\w+): "(.+)",$', script, re.MULTILINE)) == dict(LOAD_PHASES)


@pytest.mark.parametrize(
    ("phase", "text"), [("", "loading 40 %"), ("verifying", "loading 40 %, verifying batch support")]
)
def test_a_load_as_a_text(phase: LoadPhase, text: str) -> None:
    assert loading_text(40, phase) == text
