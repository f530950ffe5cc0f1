"""A conversation as it is now: from the database, with the answers in progress."""

from collections.abc import Callable
from typing import Any

from inference.storage.database_threads import in_database
from playground.running_answers import RUNNING_ANSWERS


async def read_current(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A conversation as it is now, including answers in progress.

    An answer may end, and be saved, between the read of the database and that of RUNNING_ANSWERS or of what
    other fronts answer; then the database is read again.
    """
    payload = await in_database(read)
    elsewhere = await RUNNING_ANSWERS.elsewhere(payload["messages"])
    if RUNNING_ANSWERS.has_ended_since(payload["messages"], elsewhere):
        payload = await in_database(read)
    return payload | {"messages": RUNNING_ANSWERS.reconciled(payload["messages"], elsewhere)}
