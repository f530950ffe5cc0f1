"""Checks for macOS only: the limit of wired memory, and reports of kernel panics."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from inference.serving.health.finding import CheckResult

_GB = 10**9
SYSCTL = "/usr/sbin/sysctl"
_WIRED = "iogpu.wired_limit_mb"
_PANICS = Path("/Library/Logs/DiagnosticReports")
_RECENT_S = 30 * 86_400


def check() -> Iterator[CheckResult]:
    yield wired_limit(settings.CONFIG.wired_limit_bytes)
    yield panics()


def sysctl(name: str) -> str:
    """The value of a kernel variable, empty if there is none of that name."""
    try:
        process = subprocess.run([SYSCTL, "-n", name], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""


def wired_limit(requested: int, *, is_mac: bool = sys.platform == "darwin") -> CheckResult:
    """How much memory the GPU may wire, and how many bytes the setting requests."""
    setting = f"MLX_SERVER_WIRED_LIMIT requests {requested / _GB:.1f} GB" if requested else "no limit is set"
    if not is_mac:
        return CheckResult(about="wired limit", text=f"only macOS has one; {setting}")
    value = sysctl(_WIRED)
    if not value.isdecimal():
        return CheckResult(about="wired limit", text=f"macOS does not report {_WIRED}; {setting}")
    allowed = int(value) * 2**20
    # 0 is the kernel's own choice, about three quarters of the memory; MLX refuses to go above what it is.
    text = f"{_WIRED} is {value}{'' if allowed else ' (macOS chooses)'}; {setting}"
    if not allowed or requested <= allowed:
        return CheckResult(about="wired limit", text=text)
    advice = f"Lower MLX_SERVER_WIRED_LIMIT, or raise it: sudo sysctl {_WIRED}={-(-requested // 2**20)}"
    return CheckResult(about="wired limit", text=text, state="wrong", advice=advice)


def panics(folder: Path = _PANICS, *, is_mac: bool = sys.platform == "darwin") -> CheckResult:
    """Kernel panics of the last month: wired memory under load has caused them (ml-explore/mlx#3186)."""
    if not is_mac:
        return CheckResult(about="kernel panics", text="checked on macOS only")
    try:
        recent = _recent_reports(folder)
    except OSError as error:
        text = f"their reports cannot be read: {error.strerror}"
        return CheckResult(about="kernel panics", text=text, state="look", advice=f"Check {folder} yourself.")
    if not recent:
        return CheckResult(about="kernel panics", text="none in the last month")
    advice = "Leave MLX_SERVER_WIRED_LIMIT at 0 and lower MLX_SERVER_MEMORY_LIMIT."
    return CheckResult(about="kernel panics", text=f"{recent} in the last month", state="look", advice=advice)


def _recent_reports(folder: Path) -> int:
    """The number of recent reports; macOS moves them into Retired/, possibly while they are counted."""
    names: set[str] = set()
    for inside, _, files in os.walk(folder, onerror=_raise_unless_missing):
        reports = [name for name in files if name.endswith(".panic")]
        names.update(name for name in reports if _is_recent(Path(inside, name)))
    return len(names)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_recent(report: Path) -> bool:
    try:
        return time.time() - report.stat().st_mtime < _RECENT_S
    except OSError:
        return False  # it has just been moved or deleted
