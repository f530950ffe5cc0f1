"""A data folder with a small database of pairs: rows that one transaction has written together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

from inference.core.config import Config

MIGRATIONS = frozenset({"inference.0001_initial"})


def make(folder: Path, *, migration: str = "inference.0001_initial") -> Config:
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "site.sqlite3")) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(
            "CREATE TABLE first (id INTEGER PRIMARY KEY, content TEXT);"
            "CREATE TABLE second (id INTEGER PRIMARY KEY, content TEXT);"
            "CREATE TABLE django_migrations (app TEXT, name TEXT);"
        )
        database.execute("INSERT INTO django_migrations VALUES (?, ?)", migration.split("."))
    (folder / "secret_key").write_text("k" * 50)
    (folder / ".env").write_text("MLX_SERVER_PORT=8123\n")
    return Config(data_dir=folder)


def write_pair(database: sqlite3.Connection) -> None:
    with database:
        database.execute("INSERT INTO first (content) VALUES (?)", ("x" * 2000,))
        database.execute("INSERT INTO second (content) VALUES (?)", ("x" * 2000,))


def counts(folder: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(folder / "site.sqlite3")) as database:
        (first,) = database.execute("SELECT count(*) FROM first").fetchone()
        (second,) = database.execute("SELECT count(*) FROM second").fetchone()
    return first, second


@contextmanager
def being_written(folder: Path) -> Iterator[list[int]]:
    """Write pairs without a pause; the list has one entry for each pair that was acknowledged."""
    end, acknowledged = Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(folder / "site.sqlite3", timeout=30)) as database:
            while not end.is_set():
                write_pair(database)
                acknowledged[0] += 1

    thread = Thread(target=write)
    thread.start()
    try:
        while not acknowledged[0]:
            end.wait(0.01)
        yield acknowledged
    finally:
        end.set()
        thread.join()
