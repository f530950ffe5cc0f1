"""Copies of the whole database of the tests, and the one that is restored before every test."""

import sqlite3
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase


def restore_instead_of_flush() -> None:
    """Have transactional tests end by restoring the database as it is now.

    Django would empty each table, and then look for every permission of every model again:
    https://docs.djangoproject.com/en/stable/topics/testing/tools/#transactiontestcase
    """
    restored = _restore_postgresql() if connection.vendor == "postgresql" else _restore_sqlite()
    TransactionTestCase._fixture_teardown = restored  # type: ignore[attr-defined]


def copy_of_database() -> sqlite3.Connection:
    connection.ensure_connection()
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    connection.connection.backup(copy)
    return copy


def restore(copy: sqlite3.Connection) -> None:
    """Make the whole database what it was when this copy was made."""
    connection.ensure_connection()
    copy.backup(connection.connection)


def _restore_sqlite() -> Callable[[Any], None]:
    empty = copy_of_database()
    return lambda self: restore(empty)


def _restore_postgresql() -> Callable[[Any], None]:
    """Keep what the tables have in a schema of its own."""
    tables = [f'"{name}"' for name in connection.introspection.table_names()]
    sequences = connection.introspection.sequence_list()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS empty CASCADE")
        cursor.execute("CREATE SCHEMA empty")
        for name in tables:
            cursor.execute(f"CREATE TABLE empty.{name} AS TABLE public.{name}")
    back = [f"INSERT INTO {name} SELECT * FROM empty.{name}" for name in tables]  # noqa: S608
    again = [
        "SET CONSTRAINTS ALL DEFERRED",
        f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE",
        *back,
        *(_continued(one["table"], one["column"]) for one in sequences),
    ]

    def restore(self: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in again:
                cursor.execute(statement)

    return restore


def _continued(table: str, column: str) -> str:
    sequence = f"pg_get_serial_sequence('{table}', '{column}')"
    return f'SELECT setval({sequence}, max("{column}")) FROM "{table}"'  # noqa: S608
