"""What a client or a visitor sees where the database cannot store or read anything."""

import logging

from django.db import DatabaseError, InterfaceError, OperationalError

from inference.core.errors import ServerError, StorageFull, Unavailable

logger = logging.getLogger(__name__)
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_DISK_FULL = "53100"
_READ_ONLY = "25006"  # after a failover the old server may still answer
_BUSY = ("53300", "40001", "40P01", "55P03", "57014")  # too many connections, and locks


def is_refusal(error: Exception) -> bool:
    """Whether the database could not do what was right to ask for."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, DatabaseError) and _code(error) == _READ_ONLY


def explain(error: Exception) -> ServerError:
    """The error to answer with: a full disk, a busy database, or one that is not there.

    SQLite tells a full disk by its message, https://www.sqlite.org/rescode.html#full; PostgreSQL has codes,
    and none where its server cannot be reached.
    """
    logger.error("The database refused a request", exc_info=error)
    code = _code(error)
    if code == _DISK_FULL or (code == "" and "full" in str(error)):
        return StorageFull("The server's disk is full, so nothing was stored.")
    if code == "" or code in _BUSY:
        return Unavailable("The server's database is busy. Try again.", retry_after=2)
    return Unavailable("The server's database cannot be reached. Try again.", retry_after=2)


def _code(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, None where it has none; empty for one of SQLite."""
    code: str | None = getattr(error.__cause__, "sqlstate", "")
    return code
