"""Threads for work that would block the event loop: each kind of work has its own.

The loop's default executor has a handful of threads for all kinds. While a locked database held them, no
request was admitted, whether it needed the database or not.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most `count` threads of one kind of work; what finds none free waits in order."""

    def __init__(self, name: str, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work` on one of the threads and return its result; work that has begun is not cancelled."""
        context = contextvars.copy_context()
        call = partial(context.run, work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


# SQLite has one writer at a time, so more threads than a few would only wait for it: these are for reading
# beside a writer that waits.
DATABASE = Threads("database", 16)
# Answers in progress are saved every few seconds. While the database is locked all of these saves wait, and
# they must not occupy the threads of readers.
SAVES = Threads("saves", 2)
CATALOG = Threads("catalog", 4)
BODIES = Threads("bodies", 4)  # large JSON in and out
FILES = Threads("files", 2)  # what operators do to models on disk, which may take minutes
