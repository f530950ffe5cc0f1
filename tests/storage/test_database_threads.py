"""Database access from the event loop."""

import threading

import pytest
from django.db import connection

from inference.storage.database_threads import in_database


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
