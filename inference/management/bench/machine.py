"""The machine of a run, without which its figures mean nothing."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from msgspec import Struct

from inference.core.blas import best_blas

_PACKAGES = ("mlx", "mlx-lm", "transformers", "django", "daphne")


class BenchMachine(Struct, frozen=True, kw_only=True):
    """Hardware and versions that the figures depend on, and the load of the machine before the run."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    blas: str
    packages: dict[str, str]
    load_before: (
        float  # mean number of runnable processes in the last minute; above 0.5 others disturb the run
    )

    def lines(self) -> Iterator[str]:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        yield f"{self.cpu}, {self.cores} cores, {self.memory_bytes / 2**30:.1f} GiB, {self.system}"
        yield f"Python {self.python}, {packages}; BLAS {self.blas}; load before: {self.load_before:.1f}"


def this_machine() -> BenchMachine:
    return BenchMachine(
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(terse=True),
        python=platform.python_version(),
        blas=best_blas(os.environ.get("MLX_SERVER_BLAS", "")).name,
        packages={name: found for name in _PACKAGES if (found := _version(name))},
        load_before=round(os.getloadavg()[0], 2),
    )


def _cpu() -> str:
    if sys.platform == "darwin":
        process = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            text=True,
            check=False,
        )
        return process.stdout.strip() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
