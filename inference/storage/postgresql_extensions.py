"""The extensions of a PostgreSQL database that the site uses where they are."""

from django.db import connection

TRIGRAMS = "pg_trgm"


def has_extension(name: str) -> bool:
    """Whether the site's database has it; raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = %s)", [name])
        return bool(cursor.fetchone()[0])
