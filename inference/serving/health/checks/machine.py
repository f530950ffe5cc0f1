"""Which machine this is, and the versions of what runs on it."""

import importlib.metadata
import platform
from collections.abc import Iterator

import psutil

from inference import __version__
from inference.serving.health.finding import CheckResult

_PACKAGES = ("mlx", "mlx-lm", "transformers", "django", "django-ninja", "channels", "daphne")


def check() -> Iterator[CheckResult]:
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    yield CheckResult(about="machine", text=f"{platform.platform()}, {platform.machine()}, {cores} cores")
    yield CheckResult(about="versions", text=_versions())


def _versions() -> str:
    known = [f"Python {platform.python_version()}", f"mlxsite {__version__}"]
    for name in _PACKAGES:
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            known.append(f"no {name}")
    return ", ".join(known)
