"""The data folder and what is in it are nobody else's to read, however they came to be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inference.core import data_folder
from inference.core.config import BASE_DIR
from tests.nightly import of_each_kind


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """As `mkdir -p data/models` and an earlier version have left it."""
    folder = tmp_path / "data"
    (folder / "models").mkdir(parents=True)
    (folder / "prefixes").mkdir()
    for name in ("site.sqlite3", "site.sqlite3-wal", "site.sqlite3-shm", "secret_key", "other"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    return folder


def test_what_was_open_is_closed(data: Path) -> None:
    assert len(data_folder.shared_paths(data)) == 6
    data_folder.make_private(data)
    assert data_folder.shared_paths(data) == []
    assert (mode(data), mode(data / "prefixes"), mode(data / "site.sqlite3-wal")) == (0o700, 0o700, 0o600)


def test_models_and_what_is_not_ours_stay_as_they_are(data: Path) -> None:
    data_folder.make_private(data)
    assert (mode(data / "other"), mode(data / "models") & 0o055) == (0o644, 0o055)


def test_a_folder_for_everybody_is_left_to_everybody(data: Path) -> None:
    data.chmod(0o1777)
    data_folder.make_private(data)
    assert mode(data) == 0o1777 and mode(data / "site.sqlite3") == 0o600
    assert data_folder.shared_paths(data) == [f"{data} (1777)"]


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    data_folder.make_private(tmp_path / "nowhere")
    assert data_folder.shared_paths(tmp_path / "nowhere") == []


@pytest.mark.parametrize("command", of_each_kind([["migrate"], ["models"], ["check"]], [["migrate"]]))
def test_a_command_makes_nothing_that_others_can_read(data: Path, command: list[str]) -> None:
    for path in data.iterdir():
        if path.is_file():
            path.unlink()
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(data)}
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=env,
        check=True,
        capture_output=True,
        umask=0o022,
    )
    made = [path for path in data.iterdir() if path.is_file()]
    assert made and all(mode(path) & 0o077 == 0 for path in [data, *made])
