"""The process as the site starts it."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from inference.core.blas import best_blas
from inference.core.calibration import Measured
from inference.worker.calibration import __main__ as calibration
from tests.each import each


@pytest.mark.skipif(not best_blas().path, reason="there is no BLAS to measure")
def test_it_prints_a_tuning() -> None:
    command = [sys.executable, "-m", "inference.worker.calibration", "--blas", best_blas().path]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert not done.returncode or b"measured in time" in done.stderr
    if not done.returncode:
        measured = msgspec.json.decode(done.stdout, type=Measured)
        assert measured.candidates[0].relative_time == 1


@pytest.mark.parametrize("content", [b"", b"\x7fELF"])
def test_a_broken_library_ends_it_with_a_status(content: bytes, tmp_path: Path) -> None:
    library = tmp_path / "libbroken.so"
    library.write_bytes(content)
    command = [sys.executable, "-m", "inference.worker.calibration", "--blas", str(library)]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 1


def test_kernels_are_those_that_the_processor_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(calibration, "processor_flags", lambda: frozenset({"avx2", "fma"}))
    assert calibration.kernel_names() == ["", "Haswell", "Zen"]
    monkeypatch.setattr(calibration, "processor_flags", lambda: frozenset())
    assert calibration.kernel_names() == [""]
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "NEOVERSEN1" in calibration.kernel_names()


@each(("cores", "counts"), [(1, []), (2, [2]), (4, [2, 4]), (16, [4, 8, 16])])
def test_threads_up_to_all_cores_are_tried(cores: int, counts: list[int]) -> None:
    assert calibration.more_threads(cores) == counts
