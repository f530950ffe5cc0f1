"""The real process: its lines, a full disk, kill -9, and the end of its parent."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from inference.core.conversion import ConversionEnding
from inference.core.quantisation import JOB_FILE, QuantisationJob, QuantisationLine, QuantisationSettings
from inference.core.subprocess_environment import of_workers
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.files import staging
from inference.repository.quantising.register import Quantisations
from tests.nightly import nightly, of_each_kind
from tests.repository.conversions.waiting import has_ended, until
from tests.tiny import make_tiny_model
from tests.worker.quantisation.jobs import job_of, plan_of

pytestmark = pytest.mark.mlx
MODULE = "inference.worker.quantisation"


def command(job: QuantisationJob, *options: str) -> list[str]:
    return [sys.executable, "-m", MODULE, msgspec.json.encode(job).decode(), *options]


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))


def lines(job: QuantisationJob, **options: Any) -> list[QuantisationLine]:
    """What the process writes, with a parent that stays."""
    leash, end = os.pipe()
    try:
        done = subprocess.run(
            command(job), stdin=leash, capture_output=True, env=of_workers(), check=False, **options
        )
    finally:
        os.close(leash)
        os.close(end)
    return [msgspec.json.decode(line, type=QuantisationLine) for line in done.stdout.splitlines()]


def wait_for_weights(draft: Path) -> None:
    end = time.monotonic() + 120
    while not (draft / "config.json").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Quantisations]:
    made = Quantisations(tmp_path, claim=lambda plan: nullcontext(), on_done=lambda: None)
    yield made
    made.close()


@nightly
def test_a_disk_that_runs_full_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"), measures=False)
    *_, ending = lines(job, preexec_fn=limit_files)
    assert isinstance(ending, ConversionEnding)
    assert "tiny-4bit cannot be written" in ending.failure
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


@nightly
def test_a_model_that_mlx_lm_does_not_know_is_told(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"x_files"'))
    assert lines(job_of(folder)) == [
        ConversionEnding(failure="tiny cannot be quantised: mlx-lm does not support this kind of model.")
    ]


ENDS: list[tuple[tuple[str, ...], list[str] | None]] = [((), None), (("--leave-note",), [JOB_FILE])]


@nightly
@pytest.mark.parametrize(("options", "left"), of_each_kind(ENDS, ENDS[1:]))
def test_the_end_of_its_parent_ends_it(
    tmp_path: Path, options: tuple[str, ...], left: list[str] | None
) -> None:
    job = job_of(make_tiny_model(tmp_path / "tiny"))
    draft = staging.draft_of(tmp_path / "tiny-4bit")
    process = subprocess.Popen(
        command(job, *options), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=of_workers()
    )
    wait_for_weights(draft)
    assert process.stdin
    process.stdin.close()
    assert process.wait(30) == 1
    assert (sorted(path.name for path in draft.iterdir()) if draft.exists() else None) == left
    assert not (tmp_path / "tiny-4bit").exists()


def test_kill_9_in_the_middle_leaves_nothing(tmp_path: Path, register: Quantisations) -> None:
    planned = plan_of(make_tiny_model(tmp_path / "tiny"), QuantisationSettings())
    register.start(planned)
    wait_for_weights(staging.draft_of(tmp_path / "tiny-4bit"))
    (child,) = [one for one in psutil.Process().children() if MODULE in one.cmdline()]
    child.kill()
    assert until(register, has_ended).state is ConversionState.FAILED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


@nightly
def test_it_is_cancelled_in_the_middle(tmp_path: Path, register: Quantisations) -> None:
    register.start(plan_of(make_tiny_model(tmp_path / "tiny"), QuantisationSettings()))
    wait_for_weights(staging.draft_of(tmp_path / "tiny-4bit"))
    register.cancel("tiny-4bit")
    register.close()
    assert until(register, has_ended).state is ConversionState.CANCELLED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]
