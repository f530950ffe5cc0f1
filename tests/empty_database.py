"""The tests' database as it is before every test."""

import sqlite3
from typing import Any

from django.db import connection
from django.test import TransactionTestCase


def restore_instead_of_flush() -> None:
    """After a test that commits, copy the whole database back as it is now, with its permissions and groups.

    Django would empty each table, and then look for every permission of every model again:
    https://docs.djangoproject.com/en/stable/topics/testing/tools/#transactiontestcase
    """
    connection.ensure_connection()
    empty = sqlite3.connect(":memory:", check_same_thread=False)
    connection.connection.backup(empty)

    def restore(self: Any) -> None:
        connection.ensure_connection()
        empty.backup(connection.connection)

    TransactionTestCase._fixture_teardown = restore  # type: ignore[attr-defined]
