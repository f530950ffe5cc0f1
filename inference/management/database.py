"""The database, as commands use it while no site may ever have run."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import CommandError
from django.db import DatabaseError

from inference.core.installation import PROGRAM


@contextmanager
def in_use() -> Iterator[None]:
    """Raise CommandError for a database that cannot be used, with the way out."""
    try:
        yield
    except DatabaseError as error:
        reason = " ".join(str(error).split()).rstrip(".?")  # a server's has several lines
        raise CommandError(
            f"Cannot use the database: {reason}. Start the site once with `{PROGRAM} serve`."
        ) from None
