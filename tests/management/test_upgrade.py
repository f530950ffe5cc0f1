"""A database that has lived through every schema has all its rows in today's, and the site shows them."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from inference.core.data_folder import DATABASE
from tests.e2e.site import ROOT
from tests.management.conftest import Rows
from tests.nightly import nightly


def run(data: Path, *arguments: str) -> str:
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(data)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed(data: Path, rows: Rows) -> list[str]:
    """The columns whose values are others now, or that are gone."""
    found = []
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.row_factory = sqlite3.Row
        for table, made in rows.items():
            key = next(c["name"] for c in database.execute(f'PRAGMA table_info("{table}")') if c["pk"])
            every = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of ours
            now = {str(one[key]): dict(one) for one in every}
            found += [
                f"{table}.{column} of {row}"
                for row, values in made.items()
                for column, value in values.items()
                if as_noted(now.get(row, {}).get(column, "nothing")) != value
            ]
    return found


def as_noted(value: Any) -> Any:
    """As the walk writes it: bytes are no JSON."""
    return str(value) if isinstance(value, bytes) else value


def test_each_row_of_each_schema_is_there_with_every_value(walked: tuple[Path, Rows]) -> None:
    data, rows = walked
    assert len(rows) >= 20 and max(map(len, rows.values())) >= 7  # tables, and schemas of one
    assert changed(data, rows) == []


def test_the_database_is_whole(walked: tuple[Path, Rows]) -> None:
    with closing(sqlite3.connect(walked[0] / DATABASE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@nightly
def test_every_page_shows_it_and_the_search_finds_it(walked: tuple[Path, Rows], tmp_path: Path) -> None:
    data, rows = shutil.copytree(walked[0], tmp_path / "data"), walked[1]
    shown = json.loads(run(data, "-m", "tests.management.schema_visit"))
    assert shown["found"] == len(rows["playground_message"])
    assert len(shown["pages"]) > 30 and set(shown["pages"].values()) == {200}


@nightly
def test_what_the_first_schema_has_survives_the_way_back_and_forth(
    walked: tuple[Path, Rows], tmp_path: Path
) -> None:
    data, rows = shutil.copytree(walked[0], tmp_path / "data"), walked[1]
    first = ("inference_servedmodel", "playground_message")
    for app, name in (
        ("playground", ["0001"]),
        ("inference", ["0001"]),
        ("inference", []),
        ("playground", []),
    ):
        run(data, "manage.py", "migrate", "-v0", app, *name)
    assert changed(data, {table: dict([next(iter(rows[table].items()))]) for table in first}) == []
