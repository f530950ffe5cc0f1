"""The PostgreSQL server that has the database; a file of SQLite needs no words."""

from collections.abc import Iterator

from django.db import connection

from inference.serving.health.finding import CheckResult
from inference.storage.postgresql_extensions import TRIGRAMS, has_extension

_ADVICE = (
    f"Install PostgreSQL's contrib modules and run CREATE EXTENSION {TRIGRAMS} in the database as its owner. "
    "The next start makes the index."
)


def check() -> Iterator[CheckResult]:
    if connection.vendor != "postgresql":
        return
    has_trigrams = has_extension(TRIGRAMS)
    major, minor = connection.get_database_version()
    place = f"PostgreSQL {major}.{minor}, the database {connection.settings_dict['NAME']}"
    if has_trigrams:
        yield CheckResult(about="database", text=place)
        return
    text = f"{place}, has no extension {TRIGRAMS}: the search in chats reads every message of its account"
    yield CheckResult(about="database", text=text, state="look", advice=_ADVICE)
