"""Copies of the whole database of the tests, and the one that is restored before every test."""

import sqlite3

from django.db import connection
from django.test import TransactionTestCase


def restore_instead_of_flush() -> None:
    """After a test that commits, copy the whole database back as it is now, with its permissions and groups.

    Django would empty each table, and then look for every permission of every model again:
    https://docs.djangoproject.com/en/stable/topics/testing/tools/#transactiontestcase
    """
    empty = copy_of_database()
    TransactionTestCase._fixture_teardown = lambda self: restore(empty)  # type: ignore[attr-defined]


def copy_of_database() -> sqlite3.Connection:
    connection.ensure_connection()
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    connection.connection.backup(copy)
    return copy


def restore(copy: sqlite3.Connection) -> None:
    """Make the whole database what it was when this copy was made."""
    connection.ensure_connection()
    copy.backup(connection.connection)
