"""Database access from the event loop, which must not block: it has threads of its own."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from inference.core.threads import DATABASE, Threads

logger = logging.getLogger(__name__)
T = TypeVar("T")
_BESIDE = ThreadPoolExecutor(1, thread_name_prefix="beside")


async def in_database(work: Callable[[], T], threads: Threads = DATABASE) -> T:
    """Run `work` on a thread and close its connection: the caller may outlive its HTTP request."""

    def do() -> T:
        try:
            return work()
        finally:
            close_old_connections()

    return await threads.run(do)


def beside(work: Callable[[], object]) -> None:
    """Run `work` on a thread for which nobody waits; what it raises is logged."""
    _BESIDE.submit(_logged, work)


def _logged(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:  # the boundary of a thread
        logger.exception("Work beside the event loop has failed")
    finally:
        close_old_connections()


async def release_connection() -> None:
    """Close the connection of this HTTP request's own thread, which its user was read with.

    It would stay open until the end of the answer, and a PostgreSQL server has only so many.
    """
    if connection.vendor == "postgresql":
        await sync_to_async(close_old_connections)()
