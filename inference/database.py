"""The database from the event loop: it blocks, so it is asked on a thread."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")


async def in_database(work: Callable[[], T]) -> T:
    """Do it on a thread, whose connection is given back: what asks may outlive the request it came with."""

    def do() -> T:
        try:
            return work()
        finally:
            close_old_connections()

    return await asyncio.to_thread(do)
