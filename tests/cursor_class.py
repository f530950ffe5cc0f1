"""The class whose methods run each statement of the tests' database."""

from typing import Any


def cursor_class() -> Any:
    """SQLite's or PostgreSQL's; call it where the database may be used."""
    from django.db import connection

    with connection.cursor() as cursor:
        return type(cursor.cursor)
