"""doctor looks at the machine, and at a model that answers, fails or is not there."""

import json
import os
import platform
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference import __version__
from inference.core.config import BASE_DIR, Config
from inference.core.events import Accepted, Ended, Finished, TextDelta, Usage
from tests.fakes import GB, EventRunner, FakeRunner, card, serving
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db

ANSWER = (
    Accepted(prompt_tokens=3),
    TextDelta(text="Once"),
    TextDelta(text=" upon a time", tokens=127),
    Ended(reason="length"),
    Finished(usage=Usage(prompt_tokens=3, completion_tokens=128)),
)
OF_A_DATABASE = {"worker deaths", "keys", "self-tests"}
CHECKS = {
    *(
        "machine",
        "versions",
        "memory",
        "wired limit",
        "BLAS",
        "CPU kernels",
        "disk",
        "open files",
        "kernel panics",
    ),
    *("settings", "device", "model"),
    *OF_A_DATABASE,
}


def run(*args: str) -> tuple[str, int]:
    printed, status = StringIO(), 0
    try:
        call_command("doctor", *args, stdout=printed)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return printed.getvalue(), status


def doctor_in(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """The command itself, on a data folder of its own."""
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(folder), "MLX_SERVER_USE_HUB_CACHE": "false"}
    command = [sys.executable, "manage.py", "doctor", *options]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120)


def about(lines: str) -> set[str]:
    checks = [line[6:].split(":")[0] for line in lines.splitlines() if not line.startswith("      ")]
    return set(checks)


def test_the_smallest_model_answers_with_figures() -> None:
    vectors = card("vectors", kind="embedding", resident_bytes=1)
    cards = [card("large", resident_bytes=9 * GB), card("small"), vectors]
    with serving(EventRunner(*ANSWER), cards=cards):
        printed, status = run()
    assert status == 0
    assert (
        "ok    model: small: loaded in" in printed
        and "generated 128 in" in printed
        and "read 3 tokens at" in printed
    )
    assert f"ok    versions: Python {platform.python_version()}, mlxsite {__version__}" in printed


@pytest.mark.parametrize("runner", [EventRunner(*ANSWER), FakeRunner(load_error="no weights")])
def test_it_reports_all_of_this_and_nothing_else(runner: FakeRunner) -> None:
    with serving(runner):
        assert about(run()[0]) == CHECKS


def test_without_a_model_to_load_it_reports_all_the_rest() -> None:
    with serving():
        assert about(run("--no-model")[0]) == CHECKS - {"model"}


def test_a_model_that_fails_is_wrong_and_no_server_is_spoken_of() -> None:
    with serving(FakeRunner(load_error="its weights are incomplete")):
        printed, status = run()
    assert status == 1
    assert "WRONG model: tiny did not answer: The model 'tiny' did not load: its weights" in printed
    assert "server's log" not in printed and "manage.py pull" in printed


def test_without_a_model_it_says_what_to_do() -> None:
    with serving(cards=[card(problem="no weights")]):
        printed, status = run()
    assert (status, "manage.py pull" in printed) == (0, True)


def test_settings_that_cannot_work_are_wrong() -> None:
    with override_settings(CONFIG=Config(host="0.0.0.0")), serving():  # noqa: S104 - never listened on
        printed, status = run("--no-model")
    assert (status, "WRONG settings: " in printed) == (1, True)


def test_it_is_json_too() -> None:
    with serving(EventRunner(*ANSWER)):
        printed, _ = run("--json")
    looked = json.loads(printed)
    assert looked["state"] in {"good", "look"}
    assert {one["about"] for one in looked["looked_at"]} == CHECKS
    figures = looked["looked_at"][-1]["figures"]
    assert (figures["model"], figures["tokens"], figures["peak_bytes"]) == ("tiny", 128, GB)


@pytest.mark.parametrize(
    ("options", "text"), [((), "There is no vision model"), (("tiny",), "tiny is not a vision model")]
)
def test_a_trial_of_pictures_needs_a_model_that_sees(options: tuple[str, ...], text: str) -> None:
    with serving():
        printed, status = run("--vision", *options)
    assert status == 0 and f"look  vision: {text}" in printed and "model: tiny" not in printed


def test_its_own_request_is_not_in_the_sites_record() -> None:
    kept: list[Any] = []
    with serving(EventRunner(*ANSWER), keep=kept.append):
        assert "generated 128" in run()[0]
    assert kept == []


@pytest.mark.parametrize("seconds", ["0", "soon", "4000"])
def test_it_answers_for_a_time_that_makes_sense(seconds: str) -> None:
    with pytest.raises(CommandError, match="give seconds above 0"):
        run("--seconds", seconds)


def test_a_real_model_answers_in_a_worker_of_its_own(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "models" / "tiny")
    looked = json.loads(doctor_in(tmp_path, "--json", "--seconds", "2").stdout)
    device, model = looked["looked_at"][-2:]
    assert "the model ran on the " in device["text"]
    figures = model["figures"]
    assert figures["tokens"] > 1 and figures["prompt_tokens"] > 100 and figures["peak_bytes"] > 0
    assert figures["decode_rate"] > 0 and figures["prompt_rate"] > 0


def test_a_fresh_folder_gets_no_database_and_nothing_is_complained_of(tmp_path: Path) -> None:
    done = doctor_in(tmp_path / "data")
    assert (done.returncode, done.stderr, about(done.stdout)) == (0, "", CHECKS - OF_A_DATABASE)
    assert not list(tmp_path.rglob("*.sqlite3*"))
