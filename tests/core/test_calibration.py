"""One process measures, once, and whatever it does the worker starts."""

import sys
import threading
import time
from pathlib import Path

import pytest

from inference.core import calibration
from inference.core.blas import best_blas
from inference.core.calibration import Calibrator
from inference.core.calibration_file import NAME
from inference.core.cpu_tuning import CpuTuning, ShapeClass

pytestmark = pytest.mark.skipif(not best_blas().path, reason="there is no BLAS to measure")

RESULT = '{"tuning": {"kernels": "Zen", "threads": 1, "by_row": ["output"]}, "candidates": []}'
FOUND = CpuTuning(kernels="Zen", threads=1, by_row=(ShapeClass.OUTPUT,))


def calibrator(folder: Path, program: str, *, is_on: bool = True) -> Calibrator:
    """One whose process runs `program`, and leaves a line in a file each time it starts."""
    lines = f"import os, sys, time; open({str(folder / 'starts')!r}, 'a').write('x\\n')\n{program}"
    return Calibrator(folder, is_on=is_on, command=[sys.executable, "-c", lines])


def starts(folder: Path) -> int:
    file = folder / "starts"
    return len(file.read_text().split()) if file.exists() else 0


def test_it_measures_once_and_keeps_the_result(tmp_path: Path) -> None:
    assert calibrator(tmp_path, f"print({RESULT!r})").tuning() == FOUND
    assert calibrator(tmp_path, f"print({RESULT!r})").tuning() == FOUND
    assert starts(tmp_path) == 1
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_workers_that_start_together_measure_once(tmp_path: Path) -> None:
    program = f"time.sleep(0.3); print({RESULT!r})"
    shared, found = calibrator(tmp_path, program), []
    others = [shared, shared, calibrator(tmp_path, program), calibrator(tmp_path, program)]
    threads = [threading.Thread(target=lambda one=one: found.append(one.tuning())) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [FOUND] * 4
    assert starts(tmp_path) == 1


@pytest.mark.parametrize(
    "program",
    [
        "sys.exit(3)",
        "os.kill(os.getpid(), 4)",
        "print('hello')",
        "pass",
        'print(\'{"tuning": {"threads": -1.5}, "candidates": []}\')',
        'print(\'{"tuning": {"by_row": ["diagonal"]}, "candidates": []}\')',
    ],
)
def test_a_process_that_fails_leaves_the_default_and_is_not_tried_again(program: str, tmp_path: Path) -> None:
    failing = calibrator(tmp_path, program)
    assert failing.tuning() == CpuTuning()
    assert failing.failure
    assert failing.tuning() == CpuTuning()
    assert starts(tmp_path) == 1
    assert not (tmp_path / NAME).exists()


def test_a_process_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "LIMIT_S", 0.7)
    alive = tmp_path / "alive"
    program = f"""
if os.fork():
    time.sleep(600)
while True:
    open({str(alive)!r}, "w").write(str(time.time()))
    time.sleep(0.01)
"""
    hanging = calibrator(tmp_path, program)
    assert hanging.tuning() == CpuTuning()
    assert "longer than" in hanging.failure
    if alive.exists():
        last = alive.read_text()
        time.sleep(0.2)
        assert alive.read_text() == last


def test_a_file_that_is_damaged_is_measured_again(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    assert calibrator(tmp_path, f"print({RESULT!r})").tuning() == FOUND
    assert starts(tmp_path) == 1
    assert calibrator(tmp_path, f"print({RESULT!r})").tuning() == FOUND


def test_a_folder_that_cannot_be_written_leaves_the_default(tmp_path: Path) -> None:
    missing = Calibrator(tmp_path / "none")
    assert missing.tuning() == CpuTuning()
    assert missing.failure


def test_where_it_is_off_or_needless_nothing_is_started(tmp_path: Path) -> None:
    assert calibrator(tmp_path, "pass", is_on=False).tuning() == CpuTuning()
    assert Calibrator(tmp_path, "", command=["/nowhere"], is_on=False).failure == ""
    assert starts(tmp_path) == 0


def test_a_calibration_has_no_settings_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_SERVER_API_KEY", "a-secret")
    seen = tmp_path / "seen"
    program = f"open({str(seen)!r}, 'w').write(repr(dict(os.environ))); print({RESULT!r})"
    calibrator(tmp_path, program).tuning()
    assert "a-secret" not in seen.read_text()
