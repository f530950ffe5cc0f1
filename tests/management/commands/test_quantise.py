"""`manage.py quantise`: as a process without a site, and what it shows of a running one."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command

from inference.core.conversion import ConversionProgress, ConversionStep
from inference.core.pool_state import PoolSnapshot
from inference.core.quantisation import QuantisationSettings
from inference.management.client import Client
from inference.management.commands.quantise import Command
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.files.staging import draft_of
from inference.repository.quantising.active_quantisation import ActiveQuantisation
from tests.e2e.site import ROOT
from tests.management.fake_site import FakeSite
from tests.migrated_database import begin_with_tables
from tests.nightly import nightly
from tests.repository.quantising.plans import plan
from tests.repository.quantising.test_report_file import REPORT
from tests.tiny import make_tiny_model


def environment(models: Path, data: Path) -> dict[str, str]:
    return os.environ | {"MLX_SERVER_MODELS_DIR": str(models), "MLX_SERVER_DATA_DIR": str(data)}


class QuantisingSite(FakeSite):
    """A site whose one quantisation is at the next state at each look."""

    def __init__(self, *states: ActiveQuantisation) -> None:
        super().__init__(PoolSnapshot(limit_bytes=1))
        self._states = list(states)
        self.wanted: list[Any] = []
        self.cancelled: list[str] = []

    def quantise(
        self, model: str, how: QuantisationSettings, *, name: str, measures: bool
    ) -> ActiveQuantisation:
        self.wanted.append((model, how, name, measures))
        return self._states[0]

    def quantisations(self) -> tuple[ActiveQuantisation, ...]:
        if not self._states:
            raise KeyboardInterrupt
        return (self._states.pop(0),)

    def cancel_quantisation(self, name: str) -> None:
        self.cancelled.append(name)


def run(site: QuantisingSite, *arguments: str) -> str:
    class Found(Command):
        def client(self, options: dict[str, Any]) -> Client:
            return site

    out = StringIO()
    call_command(Found(), *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def states(models: Path) -> list[ActiveQuantisation]:
    steps = (ConversionStep(name="quantise", done=1, size=2),)
    running = ActiveQuantisation(
        name="tiny-4bit",
        state=ConversionState.RUNNING,
        plan=plan(models),
        progress=ConversionProgress(steps=steps),
    )
    done = msgspec.structs.replace(running, state=ConversionState.DONE, report=REPORT)
    return [running, running, done]


def test_a_running_site_makes_it_and_a_table_tells_the_result(tmp_path: Path) -> None:
    site = QuantisingSite(*states(tmp_path))
    printed = run(site, "tiny", "--recipe", "mixed_4_6", "--group-size", "32", "--no-perplexity")
    how = QuantisationSettings(recipe="mixed_4_6", group_size=32)
    assert site.wanted == [("tiny", how, "", False)]
    lines = printed.splitlines()
    assert lines[0] == "The site at http://127.0.0.1:1 creates it."
    assert [line.split()[-1] for line in lines[1:3]] == ["AFTER", "tiny-4bit"]
    assert "perplexity        9.500 ± 0.100  9.900 ± 0.100" in printed
    assert "Measured on 511 tokens of “A book”." in printed


def test_a_failure_is_an_error_with_its_reason(tmp_path: Path) -> None:
    failed = ActiveQuantisation(name="tiny-4bit", state=ConversionState.FAILED, message="The disk is full.")
    with pytest.raises(CommandError, match=r"^The disk is full\.$"):
        run(QuantisingSite(failed), "tiny")


def test_ctrl_c_cancels_it_in_the_site(tmp_path: Path) -> None:
    site = QuantisingSite(states(tmp_path)[0])
    with pytest.raises(CommandError) as stopped:
        run(site, "tiny")
    assert (stopped.value.returncode, site.cancelled) == (130, ["tiny-4bit"])


@pytest.mark.parametrize("arguments", [("--bits", "3"), ("--bits", "8", "--recipe", "mixed_4_6")])
def test_wrong_options_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="invalid choice|not allowed with"):
        run(QuantisingSite(), "tiny", *arguments)


@nightly
@pytest.mark.mlx
def test_without_a_site_it_is_made_here_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    models = tmp_path / "models"
    make_tiny_model(models / "tiny")
    env = environment(models, tmp_path / "data")
    begin_with_tables(tmp_path / "data")
    command = [sys.executable, "manage.py", "quantise", "tiny", "--name", "small"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        end = time.monotonic() + 120
        while not (draft_of(models / "small") / "config.json").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130 and "Stopped; no files were left behind." in errors
    assert [path.name for path in models.iterdir()] == ["tiny"]
    done = subprocess.run(
        [*command, "--no-perplexity"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "size on disk" in done.stdout and "Quantising" in done.stderr
    assert (models / "small" / "quantisation.json").exists()
    again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "small already exists" in again.stderr
