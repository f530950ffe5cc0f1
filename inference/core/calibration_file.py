"""The file in the data folder that keeps what the calibration of this machine has found."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from msgspec import Struct

from inference.core.blas import Blas
from inference.core.cpu_tuning import CpuTuning

NAME = "cpu-calibration.json"
FORMAT = 1


class CalibrationKey(Struct, frozen=True, kw_only=True):
    """What a calibration is valid for; with another processor, BLAS or MLX it is measured again."""

    processor: str
    cores: int
    blas: str  # path, size and time of change
    mlx: str
    format: int = FORMAT


class Candidate(Struct, frozen=True, kw_only=True):
    """One choice of kernels and threads that was tried.

    Its time is relative: that of kernels to the default kernels, that of threads to the chosen number.
    """

    kernels: str
    threads: int
    relative_time: float


class Calibration(Struct, frozen=True, kw_only=True):
    """The result for one machine."""

    key: CalibrationKey
    tuning: CpuTuning
    seconds: float
    candidates: tuple[Candidate, ...] = ()


def this_key(blas: Blas) -> CalibrationKey:
    try:
        mlx = version("mlx")
    except PackageNotFoundError:
        mlx = ""
    file = ""
    with suppress(OSError):
        stat = os.stat(blas.path)
        file = f"{blas.path} {stat.st_size} {stat.st_mtime_ns}"
    return CalibrationKey(processor=processor(), cores=cores(), blas=file or blas.name, mlx=mlx)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor(cpuinfo: str | None = None) -> str:
    """The processor's model, as Linux names it: a name on x86, numbers on ARM."""
    if cpuinfo is None:
        try:
            cpuinfo = Path("/proc/cpuinfo").read_text()
        except OSError:
            return platform.machine()
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    wanted = ("model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part", "CPU variant")
    return " ".join([platform.machine(), *(fields[name] for name in wanted if name in fields)])


def read(data_dir: Path, key: CalibrationKey) -> Calibration | None:
    """The stored calibration, if there is one for this key that can be read."""
    try:
        found = msgspec.json.decode((data_dir / NAME).read_bytes(), type=Calibration)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.key == key else None


def write(data_dir: Path, calibration: Calibration) -> None:
    """Store it for the owner only, in one step; raises OSError."""
    path = data_dir / NAME
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(calibration)))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
