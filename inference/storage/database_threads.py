"""Database access from the event loop, which must not block: it has threads of its own."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

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
