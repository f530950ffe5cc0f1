"""Restoring overwrites nothing, lets nothing foreign or damaged in, and leaves a whole site or none."""

import shutil
from pathlib import Path

import pytest

from inference.core.config import Config
from inference.serving import site_lock
from inference.serving.backups import archive
from inference.serving.backups.archive import BackupError, BackupList
from inference.serving.backups.backup import back_up
from inference.serving.backups.restore import restore
from tests.serving.backups import site_folder
from tests.serving.backups.site_folder import MIGRATIONS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    back_up(site_folder.make(tmp_path / "data"), tmp_path / "saved.tar")
    return tmp_path / "saved.tar"


@pytest.fixture
def target(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path / "restored")


def left_in(config: Config) -> list[str]:
    return sorted(path.name for path in config.data_dir.iterdir()) if config.data_dir.exists() else []


@pytest.mark.parametrize("name", ["site.sqlite3", "site.sqlite3-wal", ".env"])
def test_nothing_is_overwritten(file: Path, target: Config, name: str) -> None:
    target.data_dir.mkdir()
    (target.data_dir / name).write_text("mine")
    with pytest.raises(BackupError, match=f"{name} already exists, and nothing is overwritten"):
        restore(target, file, MIGRATIONS)
    assert left_in(target) == [name] and (target.data_dir / name).read_text() == "mine"


def test_the_key_that_each_command_makes_gives_way(file: Path, target: Config) -> None:
    target.data_dir.mkdir()
    (target.data_dir / "secret_key").write_text("n" * 50)
    restore(target, file, MIGRATIONS)
    assert left_in(target) == [".env", "secret_key", "site.sqlite3"]
    assert (target.data_dir / "secret_key").read_text() == "k" * 50


def test_a_folder_that_a_site_serves_from_is_left_alone(file: Path, target: Config) -> None:
    target.data_dir.mkdir()
    with site_lock.locked(target.data_dir), pytest.raises(site_lock.ServedAlready):
        restore(target, file, MIGRATIONS)
    assert left_in(target) == []


def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path, target: Config) -> None:
    back_up(site_folder.make(tmp_path / "data", migration="inference.0999_later"), tmp_path / "saved.tar")
    with pytest.raises(BackupError, match="newer version.*inference.0999_later"):
        restore(target, tmp_path / "saved.tar", MIGRATIONS)
    assert left_in(target) == []


@pytest.mark.parametrize("name", ["notes.txt", "models", "site.sqlite3/x"])
def test_a_foreign_file_is_refused(file: Path, tmp_path: Path, target: Config, name: str) -> None:
    listed = BackupList(version="1", created="")
    shutil.copy(tmp_path / "data" / "secret_key", tmp_path / "content")
    archive.write(tmp_path / "foreign.tar", [(name, tmp_path / "content")], listed)
    with pytest.raises(BackupError, match="it has"):
        restore(target, tmp_path / "foreign.tar", MIGRATIONS)
    assert left_in(target) == []


def test_a_backup_without_a_good_database_is_refused(tmp_path: Path, target: Config) -> None:
    (tmp_path / "content").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    for name, message in (("secret_key", "has no database"), ("site.sqlite3", "is damaged")):
        file = tmp_path / f"{name}.tar"
        archive.write(file, [(name, tmp_path / "content")], BackupList(version="1", created=""))
        with pytest.raises(BackupError, match=message):
            restore(target, file, MIGRATIONS)
    assert left_in(target) == []


def test_the_database_comes_last(file: Path, target: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = []
    move = shutil.move

    def watch(source: Path, place: Path) -> None:
        moved.append(Path(place).name)
        move(source, place)

    monkeypatch.setattr("inference.serving.backups.restore.shutil.move", watch)
    restore(target, file, MIGRATIONS)
    assert len(moved) == 3 and moved[-1] == "site.sqlite3"


def test_what_is_not_there_or_cannot_be_written_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no file"):
        restore(Config(data_dir=tmp_path / "restored"), tmp_path / "nothing.tar", MIGRATIONS)
    with pytest.raises(BackupError, match="Not a directory|File exists"):
        restore(Config.model_construct(data_dir=file / "below"), file, MIGRATIONS)
