"""What only macOS has, with reports in a folder of our own and a kernel that is asked by a script."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from inference.serving.health.checks import mac

GB = 10**9


def report(folder: Path, name: str, *, days_ago: float = 0) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).touch()
    at = time.time() - days_ago * 86_400
    os.utime(folder / name, (at, at))


def test_a_mac_without_panics_says_so(tmp_path: Path) -> None:
    report(tmp_path, "Safari.ips")
    report(tmp_path, "panic-full-1.panic", days_ago=40)
    looked = mac.panics(tmp_path, is_mac=True)
    assert (looked.text, looked.state) == ("none in the last month", "good")
    assert mac.panics(tmp_path / "nowhere", is_mac=True).text == "none in the last month"


def test_reports_that_were_put_away_count_once(tmp_path: Path) -> None:
    report(tmp_path, "panic-full-1.panic")
    report(tmp_path / "Retired", "panic-full-1.panic")
    report(tmp_path / "Retired", "panic-full-2.panic", days_ago=20)
    looked = mac.panics(tmp_path, is_mac=True)
    assert (looked.text, looked.state) == ("2 in the last month", "look")
    assert "MLX_SERVER_WIRED_LIMIT" in looked.advice


def test_a_report_that_goes_while_it_is_counted_is_none(tmp_path: Path) -> None:
    (tmp_path / "panic-full-1.panic").symlink_to(tmp_path / "moved away")
    assert mac.panics(tmp_path, is_mac=True).text == "none in the last month"


def test_reports_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "DiagnosticReports").touch()  # root may read every folder, but no file is one
    looked = mac.panics(tmp_path / "DiagnosticReports", is_mac=True)
    assert (looked.text, looked.state) == ("their reports cannot be read: Not a directory", "look")


def test_elsewhere_it_says_that_it_is_about_macos() -> None:
    assert "checked on macOS only" in mac.panics(is_mac=False).text
    looked = mac.wired_limit(8 * GB, is_mac=False)
    assert looked.text == "only macOS has one; MLX_SERVER_WIRED_LIMIT requests 8.0 GB"


@pytest.mark.parametrize(
    ("value", "asked", "text", "state"),
    [
        ("0", 0, "iogpu.wired_limit_mb is 0 (macOS chooses); no limit is set", "good"),
        ("8192", 8 * GB, "iogpu.wired_limit_mb is 8192; MLX_SERVER_WIRED_LIMIT requests 8.0 GB", "good"),
        ("4096", 8 * GB, "iogpu.wired_limit_mb is 4096; MLX_SERVER_WIRED_LIMIT requests 8.0 GB", "wrong"),
        ("", 0, "macOS does not report iogpu.wired_limit_mb; no limit is set", "good"),
    ],
)
def test_the_wired_limit_is_the_kernels_and_the_settings(
    monkeypatch: Any, value: str, asked: int, text: str, state: str
) -> None:
    monkeypatch.setattr(mac, "sysctl", lambda name: value)
    looked = mac.wired_limit(asked, is_mac=True)
    assert (looked.text, looked.state, bool(looked.advice)) == (text, state, state == "wrong")


def test_the_kernel_is_asked_by_its_own_program(monkeypatch: Any, tmp_path: Path) -> None:
    program = tmp_path / "sysctl"
    program.write_text('#!/bin/sh\n[ "$1 $2" = "-n iogpu.wired_limit_mb" ] && echo 4096\n')
    program.chmod(0o755)
    monkeypatch.setattr(mac, "SYSCTL", str(program))
    assert mac.sysctl("iogpu.wired_limit_mb") == "4096"
    assert mac.sysctl("hw.nonsense") == ""
    monkeypatch.setattr(mac, "SYSCTL", str(tmp_path / "none"))
    assert mac.sysctl("iogpu.wired_limit_mb") == ""
