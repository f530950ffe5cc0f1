"""doctor looks at the machine, and at a model that answers, fails or is not there."""

import asyncio
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import override_settings

from inference import doctor
from inference.types import Accepted, Ended, Finished, TextDelta, Timings, Usage
from mlxsite.config import Config
from tests.fakes import GB, EventRunner, FakeRunner, card, serving

ANSWER = (
    Accepted(prompt_tokens=3),
    TextDelta(text="Once"),
    Ended(reason="length"),
    Finished(usage=Usage(prompt_tokens=3, completion_tokens=128), timings=Timings(decode_s=4.0)),
)


def run(*args: str) -> tuple[str, int]:
    told, status = StringIO(), 0
    try:
        call_command("doctor", *args, stdout=told)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return told.getvalue(), status


def test_the_smallest_model_answers_with_figures() -> None:
    vectors = card("vectors", kind="embedding", resident_bytes=1)
    cards = [card("large", resident_bytes=9 * GB), card("small"), vectors]
    with serving(EventRunner(*ANSWER), cards=cards):
        told, status = run()
    assert status == 0
    assert "ok    model: small: loaded in" in told and "128 tokens at 32.0 tokens/s" in told
    assert "ok    memory: " in told and "ok    versions: Python" in told


def test_a_model_that_fails_is_wrong() -> None:
    with serving(FakeRunner(load_error="its weights are incomplete")):
        told, status = run()
    assert status == 1
    assert "WRONG model: tiny did not answer" in told


def test_a_model_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE_S", 0.2)
    with serving(FakeRunner(hold=asyncio.Event())):
        told, status = run()
    assert (status, "did not answer within 0 s" in told) == (1, True)


def test_without_a_model_it_says_what_to_do() -> None:
    with serving(cards=[card(problem="no weights")]):
        told, status = run()
    assert (status, "manage.py pull" in told) == (0, True)


def test_settings_that_cannot_work_are_wrong() -> None:
    with override_settings(CONFIG=Config(host="0.0.0.0")), serving():  # noqa: S104 - never listened on
        told, status = run("--no-model")
    assert (status, "WRONG settings: " in told) == (1, True)


def test_it_is_json_too() -> None:
    with serving(EventRunner(*ANSWER)):
        told, _ = run("--json")
    looked = json.loads(told)
    assert looked["state"] == "good"
    about = {one["about"] for one in looked["looked_at"]}
    assert {"machine", "versions", "memory", "BLAS", "disk", "model"} <= about
