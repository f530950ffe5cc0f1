"""Database access from the event loop, which must not block: it has threads of its own."""

from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

from inference.core.threads import DATABASE, Threads

T = TypeVar("T")


async def in_database(work: Callable[[], T], threads: Threads = DATABASE) -> T:
    """Run `work` on a thread and close its connection: the caller may outlive its HTTP request."""

    def do() -> T:
        try:
            return work()
        finally:
            close_old_connections()

    return await threads.run(do)
