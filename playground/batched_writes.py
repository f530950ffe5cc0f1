"""Large amounts of database work in short transactions, between which other requests may write.

SQLite has one writer at a time and no queue: a blocked writer retries after pauses that grow to a tenth of a
second. So each batch is a short transaction, and a pause as long as the transaction follows it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction

T = TypeVar("T")
MAX_ROWS = 100
MAX_CHARACTERS = 128 * 1024
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.02, 0.5


def batches(rows: Sequence[T], length: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """The rows in order, in batches of at most MAX_ROWS and MAX_CHARACTERS; one row may be longer alone."""
    start = characters = 0
    for position, row in enumerate(rows):
        characters += length(row)
        if position > start and (position - start >= MAX_ROWS or characters > MAX_CHARACTERS):
            yield rows[start:position]
            start, characters = position, length(row)
    if start < len(rows):
        yield rows[start:]


@contextmanager
def short_transaction() -> Iterator[None]:
    """One transaction, then a pause for other writers; only for a thread that may wait."""
    started_at = time.monotonic()
    with transaction.atomic():
        yield
    took_s = time.monotonic() - started_at
    time.sleep(min(max(took_s, _MIN_PAUSE_S), _MAX_PAUSE_S))
