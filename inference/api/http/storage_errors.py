"""What a client or a visitor sees where the database cannot store or read anything."""

import logging

from django.db import InterfaceError, OperationalError

from inference.core.errors import ServerError, StorageFull, Unavailable

logger = logging.getLogger(__name__)


def explain(error: OperationalError | InterfaceError) -> ServerError:
    """The error to answer with: a full disk, or a busy database.

    https://www.sqlite.org/rescode.html#full
    """
    logger.error("The database refused a request", exc_info=error)
    if "full" in str(error):
        return StorageFull("The server's disk is full, so nothing was stored.")
    return Unavailable("The server's database is busy. Try again.", retry_after=2)
