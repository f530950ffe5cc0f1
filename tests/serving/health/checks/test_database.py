"""A file of SQLite needs no words; what is said of a server is in tests/playground/test_word_table.py."""

import pytest

from inference.serving.health.checks import database
from tests.postgres import on_sqlite

pytestmark = pytest.mark.django_db


@on_sqlite
def test_a_file_needs_no_words() -> None:
    assert list(database.check()) == []
