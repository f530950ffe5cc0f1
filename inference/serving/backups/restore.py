"""Restoring a backup into a data folder that has no site yet."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from inference.core import data_folder, disk_space
from inference.core.config import Config
from inference.serving import site_lock
from inference.serving.backups import archive
from inference.serving.backups.archive import BackupError, BackupList
from inference.serving.backups.backup import MODELS, SMALL_FILES, refuse_server
from inference.serving.backups.database_copy import applied_migrations, check_database

_LEFT_BY_A_DATABASE = tuple(f"{data_folder.DATABASE}{ending}" for ending in ("", "-wal", "-shm", "-journal"))
# Each command makes one where there is none; without a database nothing was signed with it.
_MAY_BE_THERE = "secret_key"


def restore(config: Config, file: Path, known_migrations: frozenset[str]) -> BackupList:
    """Restore what `file` has into the data folder and the models folder, and overwrite nothing.

    1. Take the folder's lock, so that no site starts meanwhile.
    2. Unpack the archive beside the places of its files, and compare each with its hash.
    3. Check the database, and that this version knows all its migrations.
    4. Move the files to their places, the database last: a site is there completely or not at all.

    Raises BackupError; ServedAlready while a site serves from the folder.
    """
    refuse_server(config, "restore")
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with site_lock.locked(config.data_dir):
            return _restore(config, file, known_migrations)
    except OSError as error:
        raise BackupError(f"{error.filename or file}: {error.strerror or error}.") from None


def _restore(config: Config, file: Path, known_migrations: frozenset[str]) -> BackupList:
    _refuse_existing(config.data_dir / name for name in _LEFT_BY_A_DATABASE)
    if problem := disk_space.shortage(config.data_dir, file.stat().st_size):
        raise BackupError(f"The backup {problem}.")
    with tempfile.TemporaryDirectory(dir=config.data_dir, prefix=".restore-") as name:
        drafts = Path(name)
        listed = archive.unpack(file, drafts)
        targets = {part: _place(config, file, part) for part in listed.files}
        _refuse_existing(path for part, path in targets.items() if part != _MAY_BE_THERE)
        _check(file, drafts / data_folder.DATABASE, known_migrations)
        for part in sorted(targets, key=lambda part: part == data_folder.DATABASE):
            _move(drafts / part, targets[part])
    return listed


def _place(config: Config, file: Path, name: str) -> Path:
    folder, _, rest = name.partition("/")
    if name in (data_folder.DATABASE, *SMALL_FILES):
        return config.data_dir / name
    if folder == MODELS and rest:
        return config.models_path / rest
    raise BackupError(f"{file} is not a backup of this site: it has {name!r}.")


def _refuse_existing(paths: Iterable[Path]) -> None:
    if there := next((path for path in paths if os.path.lexists(path)), None):
        raise BackupError(
            f"{there} already exists, and nothing is overwritten. Name another data folder with "
            "MLX_SERVER_DATA_DIR, or move the file away."
        )


def _check(file: Path, database: Path, known_migrations: frozenset[str]) -> None:
    if not database.is_file():
        raise BackupError(f"{file} is not a backup of this site: it has no database.")
    check_database(database)
    if unknown := sorted(set(applied_migrations(database)) - known_migrations):
        raise BackupError(
            f"{file} was made by a newer version of the site: its database has {unknown[0]}. Install that "
            "version first."
        )


def _move(draft: Path, target: Path) -> None:
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(draft, target)  # the models folder may be on another disk
