import logging
import threading

import pytest
from django.db import DataError, OperationalError

from inference.core.pool_state import PoolEvent as Event
from inference.models import PoolEvent
from inference.storage.pool_journal import Journal


def event(text: str) -> Event:
    return Event(kind="loaded", model="tiny", text=text, at=1.7e9)


class Database:
    """Takes events, after a number of failures and once its gate is open."""

    def __init__(self, *failures: Exception) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.failures = list(failures)
        self.rows: list[str] = []

    def __call__(self, event: Event) -> None:
        assert self.gate.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        self.rows.append(event.text)


@pytest.mark.django_db(transaction=True)
def test_events_become_rows_in_order() -> None:
    journal = Journal()
    for text in "abc":
        journal(event(text))
    assert journal.flush(10)
    assert list(PoolEvent.objects.order_by("pk").values_list("text", flat=True)) == ["a", "b", "c"]


def test_a_locked_database_is_waited_for_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    locked = [OperationalError("database is locked") for _ in range(3)]
    database = Database(*locked)
    journal = Journal(database, retry_after_s=0)
    journal(event("a"))
    journal(event("b"))
    assert journal.flush(10)
    assert database.rows == ["a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_what_can_never_be_written_does_not_hold_up_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    database = Database(DataError("too long"))
    journal = Journal(database)
    journal(event("a"))
    journal(event("b"))
    assert journal.flush(10) and database.rows == ["b"]
    assert "could not be written" in caplog.text


def test_more_than_the_limit_is_dropped_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    database = Database()
    database.gate.clear()
    journal = Journal(database, capacity=2)
    for number in range(8):
        journal(event(str(number)))
    assert "of the pool's decisions were lost" in caplog.text
    database.gate.set()
    assert journal.flush(10)
    assert 2 <= len(database.rows) <= 3 and database.rows == sorted(database.rows)


def test_flushing_gives_up_in_time() -> None:
    database = Database()
    database.gate.clear()
    journal = Journal(database)
    journal(event("a"))
    assert not journal.flush(0.01)
    database.gate.set()
    assert journal.flush(10)
