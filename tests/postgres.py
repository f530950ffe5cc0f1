"""A PostgreSQL server of the tests' own, where its programs are installed."""

import functools
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

_DEBIAN = "/usr/lib/postgresql/*/bin"
_USER = "postgres"  # Debian's, for a run by root, as whom no server starts
PASSWORD = "a-secret-word"
_SETTINGS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100"]

# Whether the tests' own database is on PostgreSQL (tests/django_settings.py).
IS_USED = "MLXSITE_POSTGRES" in os.environ


def on_postgresql(test: Callable[..., Any]) -> Any:
    """Leave a test to runs on PostgreSQL; pytest finds none elsewhere, where a skipped one is a failure."""
    return test if IS_USED else None


def on_sqlite(test: Callable[..., Any]) -> Any:
    """Leave a test to runs on SQLite: it looks into the file, or at how SQLite locks it."""
    return None if IS_USED else test


@functools.cache
def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest of Debian's; None where there is none."""
    debian = sorted(glob.glob(_DEBIAN), key=lambda path: int(Path(path).parent.name), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    found = (folder for folder in (*map(Path, debian), *candidates) if (folder / "postgres").exists())
    return next(found, None)


class PostgresServer:
    """`with PostgresServer() as server:` a new cluster on a free port, with the database `site`."""

    def __init__(self) -> None:
        self._programs = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="mlxsite-postgres-"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self.folder, _USER)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        own = ("-U", "site", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync")
        self._run("initdb", "-D", str(self._data), *own)
        self.start()
        self.create("site")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "site") -> str:
        return f"postgresql://site:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self, *settings: str) -> None:
        """Start the server, and wait until it takes connections."""
        options = [f"-c{one}" for one in (*_SETTINGS, *settings)]
        with (self.folder / "log").open("ab") as log:
            place = ("-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "")
            command = [*self._command("postgres", *place), *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), tries=100)

    def stop(self, how: int = signal.SIGINT) -> None:
        """End the server: SIGINT breaks off its connections, SIGQUIT ends it without a word to them."""
        assert self._process
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, how)
        self._process.wait(30)

    def create(self, database: str) -> str:
        """Create an empty database; returns its address."""
        self.query(f'CREATE DATABASE "{database}"', "postgres")
        return self.url(database)

    def query(self, statement: str, database: str = "site") -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _command(self, name: str, *arguments: str) -> list[str]:
        assert self._programs, "PostgreSQL is not installed"
        user = ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
        return [*user, str(self._programs / name), *arguments]

    def _run(self, name: str, *arguments: str, tries: int = 1) -> None:
        for _ in range(tries):
            done = subprocess.run(
                self._command(name, *arguments), cwd="/", capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"{name}: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
