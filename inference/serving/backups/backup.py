"""Making a backup, while the site runs or not."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from inference import __version__
from inference.core import data_folder, disk_space
from inference.core.config import Config
from inference.serving.backups import archive
from inference.serving.backups.archive import BackupError, BackupList
from inference.serving.backups.database_copy import copy_database

# Left out is what belongs to this machine or is made again: calibrations, prefixes, verifications, locks.
SMALL_FILES = ("secret_key", ".env", "admin_password")
MODELS = "models"


def back_up(config: Config, file: Path, *, with_models: bool = False) -> BackupList:
    """Save the data folder in `file`, which must not exist, and read it again.

    1. Copy the database as of this moment.
    2. Write the archive beside `file`, under another name.
    3. Read it and compare each file with its hash.
    4. Give it its name, unless somebody else took that meanwhile.

    Raises BackupError; nothing is left behind then.
    """
    refuse_server(config, "save")
    _refuse_existing(file)
    database = config.data_dir / data_folder.DATABASE
    if not database.is_file():
        raise BackupError(f"There is no database in {config.data_dir} yet.")
    try:
        _check_disk(config, file, database, with_models=with_models)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".mlxsite-backup-") as name:
            copy = Path(name) / data_folder.DATABASE
            draft = Path(name) / file.name
            copy_database(database, copy)
            origin = BackupList(
                version=__version__,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            archive.write(draft, _sources(config, copy, with_models=with_models), origin)
            listed = archive.unpack(draft)
            _publish(draft, file)
    except OSError as error:
        raise BackupError(f"{error.filename or file}: {error.strerror or error}.") from None
    return listed


def _check_disk(config: Config, file: Path, database: Path, *, with_models: bool) -> None:
    """Raise BackupError unless the disk has space for a copy of the database and for the archive."""
    sources = [database, *(path for _, path in _sources(config, database, with_models=with_models))]
    if problem := disk_space.shortage(file.parent, sum(path.stat().st_size for path in sources)):
        raise BackupError(f"{file} {problem}.")


def _sources(config: Config, database: Path, *, with_models: bool) -> Iterator[tuple[str, Path]]:
    """The name of each file in the archive, and its path; the database is the first."""
    yield data_folder.DATABASE, database
    for name in SMALL_FILES:
        if (path := config.data_dir / name).is_file():
            yield name, path
    if with_models:
        for path in sorted(_model_files(config.models_path)):
            yield f"{MODELS}/{path.relative_to(config.models_path).as_posix()}", path


def _model_files(folder: Path) -> Iterator[Path]:
    """The files of the models folder; no drafts, and nothing behind a link to another folder."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and not name.endswith(".partial")]
        paths = (Path(parent) / name for name in files if not name.startswith("."))
        yield from (path for path in paths if path.is_file())  # no link to nowhere, and no pipe


def refuse_server(config: Config, verb: Literal["save", "restore"]) -> None:
    """Raise BackupError where the database is not in the data folder, with the way that PostgreSQL has."""
    if config.database_url is None:
        return
    command = (
        "pg_dump --format=custom --file=mlxsite.dump"
        if verb == "save"
        else "pg_restore --clean --if-exists --dbname"
    )
    raise BackupError(
        f"The database is on a PostgreSQL server, and this command can only {verb} one in the data folder. "
        f"Use `{command}` and the address in MLX_SERVER_DATABASE_URL, and copy {', '.join(SMALL_FILES)} in "
        f"{config.data_dir} as well: keys of other servers and sessions need the secret key."
    )


def _refuse_existing(file: Path) -> None:
    if os.path.lexists(file):
        raise BackupError(f"{file} already exists; give another name.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent}.")


def _publish(draft: Path, file: Path) -> None:
    """Give the draft its name without overwriting anything, and write both to the disk."""
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        raise BackupError(f"{file} already exists; give another name.") from None
    except OSError:  # such as a memory stick without hard links
        _refuse_existing(file)
        draft.rename(file)
