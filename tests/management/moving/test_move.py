"""A database with rows of every model is moved, and the site shows it from its new place."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from inference.core.data_folder import DATABASE
from inference.management.moving import rows
from inference.serving import site_lock
from playground.models import Conversation
from tests.e2e.site import ROOT
from tests.management.conftest import Rows
from tests.nightly import nightly
from tests.postgres import PASSWORD, PostgresServer

LAST_ID = 5000
NOW = timezone.now()


def run(data: Path, *arguments: str, url: str = "") -> tuple[int, str]:
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(data)} | ({"MLX_SERVER_DATABASE_URL": url} if url else {})
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout or done.stderr


def move(data: Path, url: str) -> tuple[int, str]:
    return run(data, "manage.py", "move_database", url)


@pytest.fixture(scope="module")
def data(walked: tuple[Path, Rows], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a site that has lived through every schema, and deleted its newest message."""
    folder = shutil.copytree(walked[0], tmp_path_factory.mktemp("moved") / "data")
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'playground_message'", [LAST_ID])
    return folder


@nightly
def test_every_row_is_moved_and_the_site_shows_it(
    data: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    before = (data / DATABASE).read_bytes()
    url = postgres.create("moved")
    status, said = move(data, url)
    assert status == 0 and "each table is the same in both" in said and "MLX_SERVER_DATABASE_URL" in said, (
        said
    )
    assert PASSWORD not in said
    assert (data / DATABASE).read_bytes() == before
    made = json.loads((data / "rows.json").read_text())
    elsewhere = tmp_path / "data"
    elsewhere.mkdir()
    shutil.copy(data / "secret_key", elsewhere)
    status, shown = run(elsewhere, "-m", "tests.management.schema_visit", url=url)
    assert status == 0, shown
    visited = json.loads(shown)
    assert visited["found"] == len(made["playground_message"])
    assert len(visited["pages"]) > 30 and set(visited["pages"].values()) == {200}
    assert not (elsewhere / DATABASE).exists()
    next_id = "SELECT nextval(pg_get_serial_sequence('playground_message', 'id'))"
    assert postgres.query(next_id, "moved") == [(LAST_ID + 1,)]  # no message gets the id of one that is gone
    status, said = move(data, url)
    assert status != 0 and said.startswith("CommandError: The database has rows already, in "), said


def test_it_is_refused_while_a_site_runs_and_for_what_is_no_empty_database(
    data: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    with site_lock.locked(data):
        assert "A site uses" in move(data, postgres.url("never"))[1]
    assert "There is no database in" in move(tmp_path, postgres.url("never"))[1]
    url = postgres.create("foreign")
    postgres.query("CREATE TABLE theirs (a int)", "foreign")
    assert "tables of another program, such as theirs" in move(data, url)[1]


@pytest.mark.django_db
def test_the_digest_of_a_table_tells_every_change_and_no_order() -> None:
    same: dict[str, Any] = {"changed_at": NOW, "settings": {"b": 1, "a": 2.0}}
    first, second = (Conversation.objects.create(title=one, **same) for one in "ab")
    before = rows.digest(Conversation, "default")
    Conversation.objects.filter(pk=first.pk).update(settings={"a": 2, "b": 1.0})  # as PostgreSQL writes it
    assert rows.digest(Conversation, "default") == before and before.count == 2
    every: list[dict[str, Any]] = [
        {"title": "c"},
        {"settings": {"a": 2}},
        {"share": "x"},
        {"is_pinned": True},
    ]
    for changes in every:
        Conversation.objects.filter(pk=second.pk).update(**changes)
        assert (after := rows.digest(Conversation, "default")) != before
        before = after
