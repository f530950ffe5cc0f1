"""The folded messages on PostgreSQL, in which the search looks for terms.

A row without text is of a message that is new or was changed (migrations/0010). Such a message counts as one
that may contain any term, until `fold_new` has folded it. With the extension pg_trgm, an index of trigrams
finds the rows; without it, the database reads the rows of the visitor.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, connection, transaction

from inference.storage.postgresql_extensions import TRIGRAMS, has_extension
from playground.folding import fold

logger = logging.getLogger(__name__)
_INDEX = "playground_words_trigrams"
_BATCH = 200
_MOST_OF_A_SEARCH = 1000
_NEW = """SELECT w.message_id, m.content, m.reasoning FROM playground_words w
    JOIN playground_message m ON m.id = w.message_id
    WHERE w.folded IS NULL ORDER BY w.message_id DESC LIMIT %s FOR UPDATE SKIP LOCKED"""
# {contains} and {newest} are filled in here, {owned} in playground/search.py.
_FROM_WORDS = """playground_words w JOIN playground_message m ON m.id = w.message_id
    WHERE (({contains}) OR w.folded IS NULL) AND m.conversation_id IN ({owned})
    AND m.deleted_at IS NULL {newest} ORDER BY m.id DESC"""
# Short terms are in no index, as on SQLite: they are looked for among the newest messages of all visitors.
_NEWEST = "AND m.id > (SELECT MAX(id) FROM playground_message) - 200000"


def source(terms: Sequence[str]) -> tuple[str, list[str]]:
    """Where the messages that may contain these folded terms come from, and its parameters."""
    fold_new(_MOST_OF_A_SEARCH)
    contains = " AND ".join(["w.folded LIKE %s"] * len(terms))
    newest = _NEWEST if all(len(term) < 3 for term in terms) else ""
    found = _FROM_WORDS.replace("{contains}", contains).replace("{newest}", newest)
    return found, [f"%{_escaped(term)}%" for term in terms]


def fold_new(most: int | None = None) -> None:
    """Fold messages that are new or were changed, the newest first: at most so many, or all."""
    if connection.vendor != "postgresql":
        return
    done = 0
    while most is None or done < most:
        if not (count := _fold_batch()):
            return
        done += count


def index_words(**signal: Any) -> None:
    """Make the index of trigrams after `migrate`, as soon as the database can have it."""
    if connection.vendor != "postgresql" or not _has_table():
        return
    if not has_extension(TRIGRAMS):
        with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {TRIGRAMS}")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {_INDEX} ON playground_words USING gin (folded gin_trgm_ops)"
            )
    except DatabaseError:
        logger.info("The search has no index: the database has no extension %s", TRIGRAMS)


def _fold_batch() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEW, [_BATCH])
        rows = [(fold(f"{content}\n{reasoning}"), pk) for pk, content, reasoning in cursor.fetchall()]
        cursor.executemany("UPDATE playground_words SET folded = %s WHERE message_id = %s", rows)
    return len(rows)


def _has_table() -> bool:
    return "playground_words" in connection.introspection.table_names()


def _escaped(term: str) -> str:
    return term.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
