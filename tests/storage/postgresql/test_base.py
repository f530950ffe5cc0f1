"""The backend for PostgreSQL: transactions take turns, and what waits for too long is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from pytest_django import DjangoDbBlocker

from inference.core.database_setting import of_address
from tests.postgres import PostgresServer


@pytest.fixture
def pair(django_db_blocker: DjangoDbBlocker, postgres: PostgresServer) -> Iterator[tuple[Any, Any]]:
    """The connections `one` and `other` to one database; a lock is waited for 200 ms."""
    url = f"{postgres.url()}?options=-c%20lock_timeout%3D200ms"
    for alias in ("one", "other"):
        connections.databases[alias] = connections.databases["default"] | of_address(url)
    with django_db_blocker.unblock():
        yield connections["one"], connections["other"]
    for alias in ("one", "other"):
        connections[alias].close()
        del connections[alias], connections.databases[alias]


def test_a_second_transaction_waits_for_the_first_and_readers_do_not(pair: tuple[Any, Any]) -> None:
    one, other = pair
    with transaction.atomic("one"):
        with other.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        with pytest.raises(OperationalError, match="lock timeout") as refused, transaction.atomic("other"):
            pass
        assert getattr(refused.value.__cause__, "sqlstate", "") == "55P03"
    with transaction.atomic("other"), other.cursor() as cursor:  # the refused connection is as good as new
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == (2,)


def test_a_connection_that_was_cut_is_an_operational_error(pair: tuple[Any, Any]) -> None:
    one, other = pair
    with one.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(OperationalError), transaction.atomic("one"):
        pass
    one.close_if_unusable_or_obsolete()
    with transaction.atomic("one"), one.cursor() as cursor:
        cursor.execute("SELECT 3")
        assert cursor.fetchone() == (3,)
