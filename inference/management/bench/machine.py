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

# None of them is a path or a secret.
_SETTINGS = ("MLX_SERVER_DEVICE", "MLX_SERVER_PREFILL_STEP", "MLX_SERVER_MAX_BATCH")
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
    accelerator: str = ""  # empty: none
    settings: dict[str, str] = {}  # those of this server that change its speed
    version: str = ""  # of this server

    def lines(self) -> Iterator[str]:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        yield f"{self.cpu}, {self.cores} cores, {self.memory_bytes / 2**30:.1f} GiB, {self.system}"
        yield f"Python {self.python}, {packages}; BLAS {self.blas}; load before: {self.load_before:.1f}"

    def facts(self) -> list[tuple[str, str]]:
        """Names and values for a table; empty values are unknown."""
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return [
            ("Processor", f"{self.cpu}, {self.cores} cores"),
            ("Accelerator", self.accelerator or "none"),
            ("Memory", f"{self.memory_bytes / 2**30:.1f} GiB"),
            ("System", self.system),
            ("Server", f"mlxsite {self.version}".strip()),
            ("Python", self.python),
            *self.packages.items(),
            ("BLAS", self.blas),
            ("Settings", settings or "defaults"),
            ("Load before", f"{self.load_before:.1f}"),
        ]


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
        accelerator=_accelerator(),
        settings={name: os.environ[name] for name in _SETTINGS if os.environ.get(name)},
        version=_version("mlxsite"),
    )


def _accelerator() -> str:
    """What MLX computes on besides the processor, asked in another process: MLX is not imported here."""
    if os.environ.get("MLX_SERVER_DEVICE") == "cpu":
        return ""
    code = (
        "import mlx.core as mx; d = mx.default_device(); "
        "print('' if d.type == mx.DeviceType.cpu else mx.device_info().get('device_name', 'GPU'))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    return process.stdout.strip()


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
