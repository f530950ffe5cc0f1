"""Checks of the machine and the settings, without a model."""

import importlib.metadata
import platform
import resource
from collections.abc import Iterator

import psutil
from django.conf import settings
from django.core import checks

from inference import __version__
from inference.core import disk_space
from inference.core.blas import best_blas
from inference.management.doctor import mac
from inference.management.doctor.finding import CheckResult, State
from inference.serving import cpu_tuning

_GB = 10**9
_MIN_DISK = 5 * _GB
_MIN_FILES = 4096
_PACKAGES = ("mlx", "mlx-lm", "transformers", "django", "django-ninja", "channels", "daphne")


def machine() -> Iterator[CheckResult]:
    """One result for each check, the same checks on every machine."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    yield CheckResult(about="machine", text=f"{platform.platform()}, {platform.machine()}, {cores} cores")
    yield CheckResult(about="versions", text=_versions())
    yield _memory()
    yield mac.wired_limit(settings.CONFIG.wired_limit_bytes)
    yield _blas()
    yield cpu_speed()
    yield _disk()
    yield _open_files()
    yield mac.panics()
    yield from _settings()


def _versions() -> str:
    known = [f"mlxsite {__version__}", f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            known.append(f"no {name}")
    return ", ".join(known)


def _memory() -> CheckResult:
    memory = psutil.virtual_memory()
    limit = settings.CONFIG.memory_limit_bytes
    text = (
        f"{memory.total / _GB:.1f} GB, {memory.available / _GB:.1f} GB free now; models may use "
        f"{limit / _GB:.1f} GB"
    )
    if limit <= memory.total:
        return CheckResult(about="memory", text=text)
    return CheckResult(about="memory", text=text, state="wrong", advice="Lower MLX_SERVER_MEMORY_LIMIT.")


def _blas() -> CheckResult:
    found = best_blas(settings.CONFIG.blas)
    return CheckResult(about="BLAS", text=f"{found.name}{' at ' if found.path else ''}{found.path}")


def cpu_speed() -> CheckResult:
    """What the calibration has found; it measures now if it has not yet."""
    calibrator = cpu_tuning.calibrator()
    calibration = calibrator.calibration()
    if calibration is None:
        text = f"not measured: {calibrator.failure or 'needless, or switched off'}; {cpu_tuning.of_workers()}"
        return CheckResult(about="CPU kernels", text=text, state="look" if calibrator.failure else "good")
    measured = f"measured in {calibration.seconds:g} s on {calibration.key.cores} cores"
    return CheckResult(about="CPU kernels", text=f"{cpu_tuning.of_workers()}; {measured}")


def _disk() -> CheckResult:
    free = disk_space.free(settings.CONFIG.models_path)
    text = f"{free / _GB:.1f} GB free for models"
    if free >= _MIN_DISK:
        return CheckResult(about="disk", text=text)
    return CheckResult(
        about="disk", text=text, state="look", advice="Free some space, or set MLX_SERVER_MODELS_DIR."
    )


def _open_files() -> CheckResult:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    maximum = "any number" if hard == resource.RLIM_INFINITY else str(hard)
    text = f"{soft} open files for this process, {maximum} at most"
    if hard == resource.RLIM_INFINITY or hard >= _MIN_FILES:
        return CheckResult(about="open files", text=text)
    advice = "Raise the limit (ulimit -n, LimitNOFILE=, --ulimit nofile=): each connection takes one."
    return CheckResult(about="open files", text=text, state="look", advice=advice)


def _settings() -> Iterator[CheckResult]:
    messages = checks.run_checks()
    if not messages:
        yield CheckResult(about="settings", text="no problems found")
    for message in messages:
        state: State = "wrong" if message.is_serious() else "look"
        yield CheckResult(
            about="settings", text=str(message.msg), state=state, advice=str(message.hint or "")
        )
