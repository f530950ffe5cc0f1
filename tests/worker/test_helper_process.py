"""A helper process starts when it is needed, and a start that fails is one error, never a lasting state."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from inference.core.errors import InternalError, Unavailable
from inference.worker import helper_process, pipe_frames
from inference.worker.helper_process import HelperProcess
from tests import start_faults
from tests.nightly import of_each_kind

MODULE = "inference.worker.rendering.template_process"


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    helper = HelperProcess(MODULE)
    yield helper
    helper.close()


def has_ended(pid: int | None) -> bool:
    """Whether it is gone: nobody has to wait for it any more."""
    return not psutil.pid_exists(pid or 0)


def test_it_starts_once_and_again_after_its_end(helper: HelperProcess) -> None:
    helper.start()
    first = helper.pid
    assert helper.ready().pid == first and helper.ready().pid == first
    psutil.Process(first).kill()
    psutil.Process(first).wait(20)
    assert helper.ready().pid != first


def test_its_resident_memory_is_counted_until_it_is_closed(helper: HelperProcess) -> None:
    before = helper_process.memory()
    pid = helper.ready().pid
    measured = psutil.Process(pid).memory_info().rss
    assert measured > 10**7
    assert helper_process.memory() - before == pytest.approx(measured, rel=0.2)
    helper.close()
    assert has_ended(pid) and helper_process.memory() == before
    assert helper_process.resident_bytes(pid) == 0


@pytest.mark.parametrize("fault", of_each_kind(["exits", "is killed"], ["is killed"]))
def test_the_next_start_serves_where_one_fails(
    helper: HelperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: start_faults.Fault
) -> None:
    faults = start_faults.begin(tmp_path, monkeypatch, fault, module=MODULE, imported="jinja2")
    assert helper.ready().pid == faults.pids[-1]
    assert len(faults.pids) == 2 and has_ended(faults.pids[0])


def test_starts_that_keep_failing_are_one_error_and_the_next_work_starts_another(
    helper: HelperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = start_faults.begin(tmp_path, monkeypatch, "exits", module=MODULE, imported="jinja2", last=2)
    with pytest.raises(InternalError, match="could not be prepared"):
        helper.ready()
    assert helper.pid is None and all(map(has_ended, faults.pids))
    assert helper.ready().pid == faults.pids[-1]


def test_one_that_hangs_is_waited_for_a_while_and_then_replaced(
    helper: HelperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_process, "_START_S", 10.0)
    faults = start_faults.begin(tmp_path, monkeypatch, "hangs", module=MODULE, imported="jinja2")
    began = time.monotonic()
    with pytest.raises(Unavailable, match="too busy"):
        helper.ready(until=began + 0.2)
    hanging = helper.pid
    assert hanging and not has_ended(hanging)
    with pytest.raises(Unavailable, match="too busy"):
        helper.ready(until=began + 3600)
    assert time.monotonic() - began < 30 and has_ended(hanging)
    assert helper.ready().pid == faults.pids[-1] != hanging


def test_a_program_that_the_system_cannot_execute_is_no_lasting_state(
    helper: HelperProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        start_faults.without_program(patch)
        with pytest.raises(Unavailable, match="cannot start"):
            helper.ready()
        helper.restart()
        assert helper.pid is None
    assert helper.ready().pid == helper.pid


def test_without_descriptors_it_does_not_start_and_leaks_none(helper: HelperProcess) -> None:
    """In a process of its own, whose limit of open files is low."""
    code = (
        "import os, resource\n"
        "from inference.core.errors import Unavailable\n"
        "from inference.worker.helper_process import HelperProcess\n"
        f"helper = HelperProcess({MODULE!r})\n"
        "before = len(os.listdir('/dev/fd'))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (before, before))\n"
        "for _ in range(3):\n"
        "    try:\n"
        "        helper.start()\n"
        "    except Unavailable:\n"
        "        print('unavailable')\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (before, before))\n"
        "print(len(os.listdir('/dev/fd')) - before, helper.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["unavailable"] * 3 + ["0", "None"], done


def test_all_are_killed_at_the_end_of_the_worker_though_they_hang(
    helper: HelperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_faults.begin(tmp_path, monkeypatch, "hangs", module=MODULE, imported="jinja2")
    helper.start()
    process = psutil.Process(helper.pid)
    helper_process.kill_all()
    assert process.wait(20) == -9


def test_an_answer_or_an_end_is_noticed() -> None:
    source, target = os.pipe()
    with os.fdopen(source, "rb") as reading:
        with os.fdopen(target, "wb") as writing:
            assert not helper_process.has_answered(reading, 0.01)
            pipe_frames.write(writing, b"x")
            assert helper_process.has_answered(reading, 0.01)
            reading.read(5)
        assert helper_process.has_answered(reading, 0.01)
