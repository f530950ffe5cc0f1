"""`manage.py backup` and `restore`: what they print, and how they fail."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.core.config import Config
from inference.serving import site_lock
from tests.serving.backups import site_folder


def run(config: Config, command: str, *arguments: str) -> str:
    output = io.StringIO()
    with override_settings(CONFIG=config):
        call_command(command, *arguments, stdout=output)
    return output.getvalue()


def test_a_backup_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = site_folder.make(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    printed = run(config, "backup", "saved.tar")
    assert "3 files" in printed and str(tmp_path / "saved.tar") in printed and "secrets" in printed
    printed = run(Config(data_dir=tmp_path / "restored"), "restore", "saved.tar")
    assert "3 files" in printed and "`python manage.py serve` starts the site" in printed
    assert site_folder.counts(tmp_path / "restored") == (0, 0)


def test_errors_are_one_line(tmp_path: Path) -> None:
    config = site_folder.make(tmp_path / "data", migration="inference.9999_later")
    run(config, "backup", str(tmp_path / "saved.tar"), "--models")
    with pytest.raises(CommandError, match="already exists"):
        run(config, "backup", str(tmp_path / "saved.tar"))
    other = Config(data_dir=tmp_path / "restored")
    with pytest.raises(CommandError, match="newer version"):
        run(other, "restore", str(tmp_path / "saved.tar"))
    with site_lock.locked(other.data_dir), pytest.raises(CommandError, match="A site uses .* Stop it first"):
        run(other, "restore", str(tmp_path / "saved.tar"))


def test_a_database_on_a_server_is_left_to_its_own_programs(tmp_path: Path) -> None:
    config = site_folder.make(tmp_path / "data")  # with a file of SQLite, from before
    secret = "a-secret-word"
    config = Config(data_dir=config.data_dir, database_url=f"postgresql://ann:{secret}@db.example/chats")
    for command, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        with pytest.raises(CommandError, match=f"PostgreSQL server.*{program}.*secret_key") as refused:
            run(config, command, str(tmp_path / "saved.tar"))
        assert secret not in str(refused.value)
    assert not (tmp_path / "saved.tar").exists()
