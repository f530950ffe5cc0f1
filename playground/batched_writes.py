"""Much work on the database in pieces, between which everybody else may write.

SQLite has one writer at a time and keeps no queue: whoever waits looks again after pauses that grow to a
tenth of a second. So each piece is a short transaction, and is followed by a pause as long as it took.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction

T = TypeVar("T")
MOST_ROWS = 100
MOST_CHARACTERS = 128 * 1024
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5


def cut(rows: Sequence[T], length: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """The rows in order, in pieces of so many rows and characters; one row may be longer by itself."""
    begin = characters = 0
    for place, row in enumerate(rows):
        characters += length(row)
        if place > begin and (place - begin >= MOST_ROWS or characters > MOST_CHARACTERS):
            yield rows[begin:place]
            begin, characters = place, length(row)
    if begin < len(rows):
        yield rows[begin:]


@contextmanager
def piece() -> Iterator[None]:
    """One transaction, and then the others' turn; only for a thread that may wait."""
    began = time.monotonic()
    with transaction.atomic():
        yield
    took = time.monotonic() - began
    time.sleep(min(max(took, _LEAST_PAUSE_S), _LONGEST_PAUSE_S))
