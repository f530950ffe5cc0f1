"""Whether this server can serve a request now, and what keeps it from doing so."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from inference.core import disk_space
from inference.core.pool_state import ModelState, PoolSnapshot
from inference.core.threads import Threads
from inference.fronts import front
from inference.serving import runtime
from inference.storage.database_threads import in_database

_DATABASE_S = 3.0  # a locked or hanging database is no answer
_FRESH_S = 1.0  # for which a result is used again: probes are frequent, and each is a transaction
_THREADS = Threads("readiness", 1)  # a hung disk holds up no other reader
_LATE = "a worker makes no progress"
_NO_WORKER = "no worker process can be started; the server's log has the reason"


class Readiness:
    """The problems of this moment; the result is kept for a second."""

    def __init__(self) -> None:
        self._checked_at = float("-inf")
        self._storage: tuple[str, ...] = ()

    async def problems(self) -> tuple[str, ...]:
        """What is wrong, as texts without names and paths; empty while requests can be served."""
        if time.monotonic() - self._checked_at > _FRESH_S:
            self._storage = tuple(await _storage_problems())
            self._checked_at = time.monotonic()
        pool = runtime.pool()
        ending = ("the server is shutting down",) if pool.is_closing or pool.is_draining else ()
        return (*ending, *pool_problems(pool.snapshot()), *self._storage)


def warnings() -> tuple[str, ...]:
    """What is wrong and keeps no request from being served."""
    here = front.current()
    if here is None or not here.is_lost:
        return ()
    return (
        "the Redis that fronts share does not respond: limits are counted here alone, and conversations of "
        "/v1/responses are refused",
    )


def pool_problems(pool: PoolSnapshot) -> Iterator[str]:
    """What keeps models from answering."""
    if pool.pressure == "refusing":
        yield "this machine has too little free memory"
    if any(model.is_late for model in pool.models):
        yield _LATE
    has_model = any(model.state in {ModelState.READY, ModelState.BUSY} for model in pool.models)
    if pool.has_spare_failed and not has_model:
        yield _NO_WORKER


async def _storage_problems() -> list[str]:
    found = []
    try:
        async with asyncio.timeout(_DATABASE_S):
            problem = await in_database(_database_problem, _THREADS)
    except TimeoutError:
        problem = "the database does not respond"
    if problem:
        found.append(problem)
    if await _THREADS.run(disk_space.is_full, settings.CONFIG.data_dir):
        found.append("the disk of the data folder is nearly full")
    return found


def _database_problem() -> str:
    """Why nothing can be written to the database; empty when it can. It has the site's tables, too."""
    try:
        with transaction.atomic(), closing(connection.cursor()) as cursor:
            cursor.execute("SELECT app, name FROM django_migrations LIMIT 1")
            if cursor.fetchone() is None:
                return "the database is empty"
            cursor.execute("UPDATE django_migrations SET name = name WHERE id = -1")
    except DatabaseError:
        return "the database cannot be read or written"
    return ""


READINESS = Readiness()
