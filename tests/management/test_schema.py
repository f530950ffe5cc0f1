"""A site starts on a database of its own version, and brings an earlier one up to date."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from inference.core.data_folder import DATABASE
from tests.e2e.site import Site
from tests.migrated_database import migrated_database
from tests.nightly import nightly, of_each_kind


def copy_of_today(data: Path) -> Path:
    data.mkdir(mode=0o700, exist_ok=True)
    target = data / DATABASE
    target.write_bytes(migrated_database().read_bytes())
    return target


def run(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute(statement)


def refused(data: Path) -> str:
    """The line that a start ends with."""
    with Site(data, "--no-starter") as site:
        assert site.process.wait(60) != 0
        site._reader.join(5)
    *before, last = site.output.splitlines()
    assert last.startswith("CommandError: ") and str(data) in last, site.output
    assert before in ([], ["Updating the database: 1 migration."])
    return last


def make_garbage(database: Path) -> None:
    database.write_text("This is no database. " * 100)


def cut(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:100_000])


def overwrite(database: Path) -> None:
    """Pages in the middle, as a failing disk leaves them."""
    with database.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xa5" * 40_960)


def make_a_folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


def lose_a_table(database: Path) -> None:
    run(database, "DROP TABLE playground_message")


def use_in_a_newer_version(database: Path) -> None:
    run(database, "INSERT INTO django_migrations VALUES (NULL, 'inference', '0999_later', '2030-01-01')")


def lose_a_migration(database: Path) -> None:
    run(database, "DELETE FROM django_migrations WHERE app = 'playground' AND name LIKE '0007%'")


CASES: list[tuple[Callable[[Path], None], str]] = [
    (make_garbage, "file is not a database. Restore a backup"),
    (cut, "malformed. Restore a backup"),
    (overwrite, "malformed. Restore a backup"),
    (make_a_folder, "unable to open database file. Make it a file"),
    (lose_a_table, "has lost the table playground_message. Restore a backup"),
    (
        lose_a_migration,
        "has lost one of its migrations: Migration playground.0008_favourites is applied before",
    ),
    (use_in_a_newer_version, "it has the migration inference.0999_later. Install that version"),
]


@pytest.mark.parametrize(("harm", "said"), of_each_kind(CASES, [CASES[0], CASES[-1]]))
def test_a_database_that_cannot_be_used_is_one_line_with_the_way_out(
    harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    database = copy_of_today(tmp_path / "data")
    harm(database)
    before = database.read_bytes() if database.is_file() else b""
    assert said in refused(tmp_path / "data")
    assert (database.read_bytes() if database.is_file() else b"") == before  # for whoever repairs it


@nightly
def test_one_that_another_program_writes_to_is_named_as_such(tmp_path: Path) -> None:
    database = copy_of_today(tmp_path / "data")
    run(database, "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)")
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "Another program writes to it" in refused(tmp_path / "data")


@nightly
def test_one_of_an_app_that_is_gone_is_today_s(tmp_path: Path) -> None:
    database = copy_of_today(tmp_path / "data")
    run(database, "INSERT INTO django_migrations VALUES (NULL, 'axes', '0001_initial', '2020-01-01')")
    with Site(tmp_path / "data", "--no-starter") as site:
        site.wait_ready(60)
    assert "Updating the database" not in site.output


def test_an_earlier_one_is_updated_and_said_to_be(tmp_path: Path) -> None:
    database = copy_of_today(tmp_path / "data")  # tests/management/test_upgrade.py goes through every schema
    run(database, "DROP TABLE django_session")
    run(database, "DELETE FROM django_migrations WHERE app = 'sessions'")
    with Site(tmp_path / "data", "--no-starter") as site:
        site.wait_ready(60)
    assert "Updating the database: 1 migration." in site.output
    run(database, "DELETE FROM django_session")
