"""Search in conversations: their titles, and the full-text index of their messages."""

import re
from collections.abc import Iterable

from django.db.models import Q
from django.db.models.expressions import RawSQL

_WORD = re.compile(r"\w+")


def matching(query: str) -> Q:
    """The conversations whose title contains each word of `query`, or one message words that begin with each.

    A query without words matches every conversation.
    """
    words = _WORD.findall(query)
    return Q(pk__in=_with_messages_matching(words)) | _with_titles_matching(words) if words else Q()


def _with_titles_matching(words: Iterable[str]) -> Q:
    condition = Q()
    for word in words:
        condition &= Q(title__icontains=word)
    return condition


def _with_messages_matching(words: Iterable[str]) -> RawSQL:
    # Only word characters come in here, and quoted they are no syntax of FTS5.
    query = " ".join(f'"{word}"*' for word in words)
    return RawSQL(  # noqa: S611
        "SELECT DISTINCT m.conversation_id FROM playground_words w "
        "JOIN playground_message m ON m.id = w.rowid WHERE playground_words MATCH %s "
        "AND m.deleted_at IS NULL",
        [query],
    )
