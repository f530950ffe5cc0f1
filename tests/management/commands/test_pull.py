"""`manage.py pull` from a fake hub: its bars, its messages, and what Ctrl-C leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.core.config import Config
from tests.e2e.site import ROOT
from tests.repository.fetching import wait_for_part
from tests.repository.hub import REPO, FakeHub, Refusal

WEIGHTS = "model.safetensors"


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "models"
    folder.mkdir()
    with override_settings(CONFIG=Config(models_dir=folder, use_hub_cache=False)):
        yield folder


def pull() -> tuple[str, str]:
    output, bars = StringIO(), StringIO()
    call_command("pull", REPO, stdout=output, stderr=bars)
    return output.getvalue(), bars.getvalue()


def test_each_file_has_a_bar_and_a_speed(hub: FakeHub, models: Path) -> None:
    output, bars = pull()
    assert output == f"{REPO} was downloaded; a running site lists it within seconds.\n"
    for place, name in enumerate(sorted(hub.files, key=lambda name: (name == WEIGHTS, name)), 1):
        assert f"{place}/{len(hub.files)} {name}: 100%" in bars
    assert "B/s" in bars
    assert {path.name for path in (models / REPO).iterdir()} == set(hub.files)


def test_what_keeps_it_waiting_is_reported(hub: FakeHub, models: Path) -> None:
    hub.refusals[WEIGHTS] = [Refusal(503)]
    assert "The hub has an internal problem (status 503)." in pull()[1]


def test_a_failure_is_reported_and_the_next_run_goes_on(hub: FakeHub, models: Path) -> None:
    hub.refusals[WEIGHTS] = [Refusal(403, {"X-Error-Code": "GatedRepo"})]
    with pytest.raises(CommandError, match="Accept its licence"):
        pull()
    assert not (models / REPO).exists()
    hub.got.clear()
    pull()
    assert hub.asked == [WEIGHTS]


def test_ctrl_c_stops_the_writer_and_the_next_run_goes_on(hub: FakeHub, models: Path, tmp_path: Path) -> None:
    hub.holds_after[WEIGHTS] = 1000
    env = os.environ | {"MLX_SERVER_MODELS_DIR": str(models), "MLX_SERVER_DATA_DIR": str(tmp_path / "data")}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "pull", REPO],
        cwd=ROOT,
        env=env | {"PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
        bufsize=0,
        # A shell's background job is born deaf to Ctrl-C, and so are its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert process.stderr
        output = ""
        while WEIGHTS not in output:
            assert (char := process.stderr.read(1)), output
            output += char
        wait_for_part(models / "org" / ".tiny.partial", 1000)
        process.send_signal(signal.SIGINT)
        output += process.stderr.read()
    assert process.returncode == 1 and f"Stopped; `python manage.py pull {REPO}` resumes" in output
    hub.holds_after.clear()
    hub.got.clear()
    pull()
    assert hub.ranges(WEIGHTS) == ["bytes=1000-"]
