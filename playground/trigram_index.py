"""Where the search looks for folded terms on SQLite: an index of every three characters in a row.

The index (migrations/0011) can only rule messages out. A term of one or two characters is contained where
one of the trigrams that begin with it is, as two blanks follow each text in the index. A term with which very
many trigrams begin is in so many messages that the newest are read instead.
"""

from collections.abc import Sequence

from django.db import connection

_MOST_TRIGRAMS = 40  # of the terms that have some
_MOST_BEGINNINGS = 500  # trigrams that begin with a short term
_LAST = "\U0010ffff"  # after every character of a trigram
# {owned} becomes a query for the ids of conversations. The plus keeps SQLite from another index, and with it
# from sorting: the messages come in the order of their ids. Terms that are in very many messages are looked
# for among the newest messages of all visitors, which bounds the time of a miss.
_FROM_INDEX = """playground_words w CROSS JOIN playground_message m ON m.id = w.rowid
    WHERE playground_words MATCH %s AND +m.conversation_id IN ({owned})
    AND m.deleted_at IS NULL ORDER BY w.rowid DESC"""
_FROM_MESSAGES = """playground_message m
    WHERE m.id > (SELECT MAX(id) FROM playground_message) - 200000
    AND +m.conversation_id IN ({owned}) AND m.deleted_at IS NULL ORDER BY m.id DESC"""


def source(terms: Sequence[str]) -> tuple[str, list[str]] | None:
    """Where the messages that may contain these folded terms come from, and its parameters.

    None if no message contains them all.
    """
    needed = _quoted(dict.fromkeys(term[at : at + 3] for term in terms for at in range(len(term) - 2)))
    needed = needed[:_MOST_TRIGRAMS]
    for term in terms:
        if len(term) > 2:
            continue
        beginnings = _beginning_with(term)
        if not beginnings:
            return None
        if len(beginnings) <= _MOST_BEGINNINGS:
            needed.append(f"({' OR '.join(_quoted(beginnings))})")
    return (_FROM_INDEX, [" AND ".join(needed)]) if needed else (_FROM_MESSAGES, [])


def _beginning_with(term: str) -> list[str]:
    """The trigrams of any message that begin with a short term, at most one more than are of use."""
    query = "SELECT term FROM playground_trigrams WHERE term >= %s AND term < %s LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [term, term + _LAST, _MOST_BEGINNINGS + 1])
        return [found for (found,) in cursor.fetchall()]


def _quoted(trigrams: "Sequence[str] | dict[str, None]") -> list[str]:
    """As FTS5 reads them: quoted, they are no syntax."""
    return ['"' + trigram.replace('"', '""') + '"' for trigram in trigrams]
