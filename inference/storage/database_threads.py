"""The database from the event loop: it blocks, so it is asked on threads of its own."""

from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

from inference.core.threads import DATABASE, Threads

T = TypeVar("T")


async def in_database(work: Callable[[], T], threads: Threads = DATABASE) -> T:
    """Do it on a thread, whose connection is given back: what asks may outlive the request it came with."""

    def do() -> T:
        try:
            return work()
        finally:
            close_old_connections()

    return await threads.run(do)
