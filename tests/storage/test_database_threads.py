"""Database access from the event loop."""

import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connection

from inference.storage.database_threads import in_database, release_connection


@pytest.mark.django_db(transaction=True)
async def test_the_work_runs_on_another_thread_and_its_result_comes_back() -> None:
    def work() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 42")
            return cursor.fetchone()[0], threading.get_ident()

    value, thread = await in_database(work)
    assert value == 42
    assert thread != threading.get_ident()


@pytest.mark.django_db(transaction=True)
async def test_an_error_of_the_work_is_raised() -> None:
    def work() -> None:
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        await in_database(work)


@pytest.mark.django_db(transaction=True)
async def test_the_connection_of_a_request_is_closed_before_a_long_answer_on_a_server_alone() -> None:
    async with ThreadSensitiveContext():  # as Django's handler has for each request
        await sync_to_async(lambda: connection.ensure_connection())()
        assert await sync_to_async(is_open)()
        await release_connection()
        assert await sync_to_async(is_open)() is (connection.vendor == "sqlite")
        await sync_to_async(lambda: connection.close())()


def is_open() -> bool:
    return connection.connection is not None
