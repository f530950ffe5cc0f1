import threading
from collections.abc import Sequence

from django.db import DataError, OperationalError

from inference.storage.background_writer import BackgroundWriter


class Database:
    """Takes batches without the bad ones, after a number of failures and once its gate is open."""

    def __init__(self, *failures: Exception, bad: str = "") -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.failures = list(failures)
        self.bad = bad
        self.batches: list[str] = []

    def __call__(self, batch: Sequence[str]) -> None:
        self.begun.set()
        assert self.gate.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        if self.bad and self.bad in batch:
            raise DataError("too long")
        self.batches.append("".join(batch))


def written(database: Database, text: str) -> list[str]:
    """The rows written for `text`, of which the first letter is being written while the others come."""
    writer: BackgroundWriter[str] = BackgroundWriter(database, name="letters", batch_size=3, retry_after_s=0)
    writer(text[0])
    assert database.begun.wait(10)
    for letter in text[1:]:
        writer(letter)
    database.gate.set()
    assert writer.flush(10)
    return database.batches


def test_what_comes_together_is_written_together_but_not_without_end() -> None:
    assert written(Database(), "abcdefg") == ["a", "bcd", "efg"]


def test_one_that_can_never_be_written_takes_no_other_with_it() -> None:
    assert written(Database(bad="c"), "abcde") == ["a", "b", "d", "e"]


def test_a_batch_waits_for_a_locked_database_as_a_whole() -> None:
    assert written(Database(OperationalError("locked"), OperationalError("locked")), "abc") == ["a", "bc"]
