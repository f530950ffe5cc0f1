"""What is said of the space on the disks."""

from pathlib import Path
from typing import Any

import pytest

from inference.core import disk_space
from inference.core.config import Config
from inference.serving.health.checks import disk

GB = 10**9


@pytest.mark.parametrize(("free", "state"), [(6 * GB, "good"), (4 * GB, "look"), (GB // 2, "wrong")])
def test_the_less_there_is_the_worse_it_is(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, free: int, state: str
) -> None:
    settings.CONFIG = Config(data_dir=tmp_path)
    monkeypatch.setattr(disk_space, "free", lambda place: free)
    (result,) = disk.check()
    assert result.state == state and bool(result.advice) == bool(result.link) == (state != "good")


def test_another_disk_of_the_data_folder_is_told_of_only_when_it_is_short(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.CONFIG = Config(data_dir=tmp_path)
    monkeypatch.setattr(disk, "_is_same_disk", lambda one, other: False)
    sizes = {tmp_path / "models": 9 * GB, tmp_path: 2 * GB}
    monkeypatch.setattr(disk_space, "free", lambda place: sizes[place])
    models, data = disk.check()
    assert (models.state, data.state) == ("good", "look") and "database" in data.text
    sizes[tmp_path] = 9 * GB
    assert len(list(disk.check())) == 1
