"""The machine a run was made on: a figure without it says nothing."""

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
    """What the figures depend on, and how busy the machine was before they were taken."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    blas: str
    packages: dict[str, str]
    load_before: float  # runnable processes, mean of the last minute; above 0.5 others had a part in the run

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
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() or platform.machine()
    names = Path("/proc/cpuinfo")
    told = names.read_text().splitlines() if names.exists() else []
    named = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
