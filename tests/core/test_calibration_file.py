import os
from pathlib import Path

import msgspec
import pytest

from inference.core import calibration_file
from inference.core.blas import Blas
from inference.core.calibration_file import NAME, Calibration, processor, read, this_key, write
from inference.core.cpu_tuning import CpuTuning, ShapeClass

KEY = this_key(Blas("bundled"))
FOUND = Calibration(key=KEY, tuning=CpuTuning(kernels="Zen", by_row=(ShapeClass.OUTPUT,)), seconds=2.0)
ARM = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd40\n\nprocessor : 1\nCPU part : 0xd40\n"
X86 = "processor : 0\nmodel name : AMD EPYC 9R14\ncpu family : 25\n\nprocessor : 1\nmodel name : AMD\n"


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, FOUND)
    assert read(tmp_path, KEY) == FOUND
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path, FOUND)
    finally:
        os.umask(before)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("field", ["processor", "cores", "blas", "mlx", "format"])
def test_with_another_machine_or_library_it_does_not_count(field: str, tmp_path: Path) -> None:
    write(tmp_path, FOUND)
    other = 99 if isinstance(getattr(KEY, field), int) else "another"
    assert read(tmp_path, msgspec.structs.replace(KEY, **{field: other})) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"key": 1}', b"null"])
def test_a_file_that_cannot_be_read_counts_as_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert read(tmp_path, KEY) is None


def test_a_library_that_was_replaced_has_another_key(tmp_path: Path) -> None:
    library = tmp_path / "libfast.so"
    library.write_bytes(b"one")
    before = this_key(Blas("custom", str(library)))
    library.write_bytes(b"three")
    assert this_key(Blas("custom", str(library))) != before


def test_processors_are_told_apart() -> None:
    assert "0x41" in processor(ARM) and "0xd40" in processor(ARM)
    assert "AMD EPYC 9R14" in processor(X86)
    assert processor(X86) != processor(X86.replace("9R14", "7713"))
    assert processor("")


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    assert calibration_file.cores() == 3
