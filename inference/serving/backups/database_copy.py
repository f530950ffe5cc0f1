"""A copy of the database while the site writes to it, by SQLite's backup API.

https://www.sqlite.org/backup.html: the copy is the database of one moment, with what is in its write-ahead
log. Copying the files themselves could tear a transaction.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from inference.serving.backups.archive import BackupError

_WAIT_S = 30.0


def copy_database(source: Path, target: Path) -> None:
    """Copy it as of now into one file; raises BackupError if it is damaged or cannot be read."""
    try:
        with closing(_opened(source)) as original, closing(sqlite3.connect(target)) as copy:
            original.backup(copy)  # in one step: a reader holds up nobody in WAL mode
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"The database {source} cannot be copied: {error}.") from None
    check_database(target)


def check_database(path: Path) -> None:
    """Raise BackupError if SQLite finds something wrong with it."""
    try:
        with closing(_opened(path)) as database:
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise BackupError(f"The database {path.name} is damaged: {found}.")


def applied_migrations(path: Path) -> tuple[str, ...]:
    """The migrations that it has, as `app.name`; none of a database that was never migrated."""
    try:
        with closing(_opened(path)) as database:
            rows = database.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    except sqlite3.OperationalError:
        return ()
    return tuple(f"{app}.{name}" for app, name in rows)


def _opened(path: Path) -> sqlite3.Connection:
    # Without `rw` SQLite would make an empty database where there is none.
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=_WAIT_S)
