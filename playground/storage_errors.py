"""What a visitor sees where the database cannot store anything."""

import logging

from django.db import OperationalError

from inference.core.errors import ServerError, StorageFull, Unavailable

logger = logging.getLogger(__name__)


def explain(error: OperationalError) -> ServerError:
    """The error for the page: a full disk (https://www.sqlite.org/rescode.html#full), or a busy database."""
    logger.error("The database refused a request of the playground", exc_info=error)
    if "full" in str(error):
        return StorageFull("The server's disk is full, so nothing was stored. Your text is kept here.")
    return Unavailable("The server's database is busy. Try again.", retry_after=2)
