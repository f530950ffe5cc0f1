import shutil
from pathlib import Path

import pytest

from inference.core import disk_space


def test_what_fits_is_no_shortage(tmp_path: Path) -> None:
    assert disk_space.shortage(tmp_path, -disk_space.SPARE_BYTES) == ""
    assert not disk_space.shortage(tmp_path / "not" / "there" / "yet", -disk_space.SPARE_BYTES)


def test_what_does_not_fit_is_reported_with_the_numbers(tmp_path: Path) -> None:
    reason = disk_space.shortage(tmp_path / "not" / "there" / "yet", 10**18)
    free = shutil.disk_usage(tmp_path).free / 10**9
    assert reason.startswith("needs 1000000000.0 GB and the disk has ")
    assert abs(float(reason.partition("disk has ")[2].split()[0]) - free) < 5
    assert "of which 1.0 GB stay free for others; make room first" in reason


def test_the_spare_room_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 0)
    assert not disk_space.is_full(tmp_path) and not disk_space.shortage(tmp_path, 0)
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
    assert disk_space.is_full(tmp_path) and disk_space.shortage(tmp_path, 0)
