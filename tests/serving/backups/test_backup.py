"""Backups of a site that runs, with its secrets, and without what can be had again."""

import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from inference.core import disk_space
from inference.core.config import Config
from inference.serving.backups import archive
from inference.serving.backups.archive import BackupError
from inference.serving.backups.backup import back_up
from inference.serving.backups.restore import restore
from tests.serving.backups import site_folder
from tests.serving.backups.site_folder import MIGRATIONS


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return site_folder.make(tmp_path / "data")


def names(file: Path) -> list[str]:
    with tarfile.open(file) as found:
        return found.getnames()


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_all_that_was_acknowledged_before_is_saved_and_no_half_of_a_pair(
    config: Config, tmp_path: Path, ending: str
) -> None:
    with site_folder.being_written(config.data_dir) as acknowledged:
        before = acknowledged[0]
        back_up(config, tmp_path / f"saved.{ending}")
        after = acknowledged[0]
    restored = Config(data_dir=tmp_path / "restored")
    restore(restored, tmp_path / f"saved.{ending}", MIGRATIONS)
    left, right = site_folder.counts(restored.data_dir)
    assert left == right and before <= left <= after + 1
    assert (restored.data_dir / "secret_key").read_text() == "k" * 50
    assert (restored.data_dir / ".env").read_text() == "MLX_SERVER_PORT=8123\n"


def test_what_is_in_the_write_ahead_log_alone_is_saved(config: Config, tmp_path: Path) -> None:
    with closing(sqlite3.connect(config.data_dir / "site.sqlite3")) as database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        site_folder.write_pair(database)
        assert (config.data_dir / "site.sqlite3-wal").stat().st_size > 4000
        back_up(config, tmp_path / "saved.tar")
    restore(Config(data_dir=tmp_path / "restored"), tmp_path / "saved.tar", MIGRATIONS)
    assert site_folder.counts(tmp_path / "restored") == (1, 1)


def test_only_its_owner_can_read_it_and_what_is_restored(config: Config, tmp_path: Path) -> None:
    back_up(config, tmp_path / "saved.tar")
    restore(Config(data_dir=tmp_path / "restored"), tmp_path / "saved.tar", MIGRATIONS)
    files = [tmp_path / "saved.tar", *(tmp_path / "restored").iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_models_are_saved_only_if_that_is_wanted(config: Config, tmp_path: Path) -> None:
    model = config.models_path / "org" / "name"
    for path in (
        model / "model.safetensors",
        config.models_path / ".starter.lock",
        config.models_path / "a.partial" / "x",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("weights")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "big").touch()
    (config.models_path / "link").symlink_to(tmp_path / "elsewhere")
    (model / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(model / "pipe")
    back_up(config, tmp_path / "small.tar")
    assert names(tmp_path / "small.tar") == ["site.sqlite3", "secret_key", ".env", archive.LIST]
    back_up(config, tmp_path / "whole.tar", with_models=True)
    assert set(names(tmp_path / "whole.tar")) - set(names(tmp_path / "small.tar")) == {
        "models/org/name/model.safetensors"
    }
    restored = Config(data_dir=tmp_path / "restored", models_dir=tmp_path / "elsewhere")
    restore(restored, tmp_path / "whole.tar", MIGRATIONS)
    assert (tmp_path / "elsewhere" / "org" / "name" / "model.safetensors").read_text() == "weights"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_nothing_is_overwritten(config: Config, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "saved.tar"
    if kind == "file":
        file.write_text("mine")
    else:
        file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BackupError, match="already exists"):
        back_up(config, file)
    assert (kind == "link" and not (tmp_path / "nowhere").exists()) or file.read_text() == "mine"


def test_a_file_that_somebody_makes_meanwhile_stays(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack = archive.unpack

    def slow(file: Path, folder: Path | None = None) -> archive.BackupList:
        (tmp_path / "saved.tar").write_text("mine")
        return unpack(file, folder)

    monkeypatch.setattr(archive, "unpack", slow)
    with pytest.raises(BackupError, match="already exists"):
        back_up(config, tmp_path / "saved.tar")
    assert (tmp_path / "saved.tar").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "saved.tar"]


def test_a_disk_without_hard_links_takes_a_backup(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refuse)
    back_up(config, tmp_path / "saved.tar")
    assert archive.unpack(tmp_path / "saved.tar").files.keys() == {"site.sqlite3", "secret_key", ".env"}


def test_a_failure_leaves_nothing_behind(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "write", fail)
    with pytest.raises(BackupError, match="No space left on device"):
        back_up(config, tmp_path / "saved.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_last_gigabyte_of_a_disk_stays_free(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(config, tmp_path / "saved.tar")
    monkeypatch.setattr(disk_space, "free", lambda place: disk_space.SPARE_BYTES)
    with pytest.raises(BackupError, match="make room first"):
        back_up(config, tmp_path / "another.tar")
    with pytest.raises(BackupError, match="make room first"):
        restore(Config(data_dir=tmp_path / "restored"), tmp_path / "saved.tar", MIGRATIONS)


def test_what_cannot_be_saved_is_named(config: Config, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no folder"):
        back_up(config, tmp_path / "nowhere" / "saved.tar")
    with pytest.raises(BackupError, match="There is no database"):
        back_up(Config(data_dir=tmp_path), tmp_path / "saved.tar")
    database = config.data_dir / "site.sqlite3"
    database.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(BackupError, match="cannot be copied|is damaged"):
        back_up(config, tmp_path / "saved.tar")
