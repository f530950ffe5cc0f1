"""Where the database is: a file, unless an address is set."""

from pathlib import Path

from inference.core.config import Config
from mlxsite.database import database


def test_without_an_address_it_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    found = database(Config(data_dir=tmp_path))
    assert (found["NAME"], found["ENGINE"]) == (tmp_path / "site.sqlite3", "django.db.backends.sqlite3")


def test_with_an_address_it_is_there_and_no_connection_stays_open(tmp_path: Path) -> None:
    found = database(Config(data_dir=tmp_path, database_url="postgresql://ann:secret@db.example/chats"))
    assert (found["NAME"], found["HOST"], found["CONN_MAX_AGE"]) == ("chats", "db.example", 0)
