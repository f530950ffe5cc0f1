"""Search in a visitor's conversations: in titles, questions, answers and reasoning, in any script.

A query is a list of terms, between blanks or in double quotes. Each is found as it is written, also inside of
words and with signs: `C++`, `foo_bar()`, `->`. Case and accents do not matter (playground/folding.py).

1. Titles that contain every term come first.
2. Messages that contain every term follow, the newest first. The terms are looked up in an index of trigrams
   (playground/trigram_index.py; on PostgreSQL playground/word_table.py), which can only rule messages out.
   What is left is read and compared, at most `_MOST_READ` messages.
3. Terms may also be divided between a title and a message.
4. Pinned conversations stand before all others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import islice
from operator import or_
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from msgspec import Struct

from playground import trigram_index, word_table
from playground.folding import SQL_NAME, fold
from playground.models import Conversation
from playground.snippet import Snippet, snippet

MOST_FOUND = 500  # conversations
_MOST_NAMED = 100  # conversations with some of the terms in their title that are searched for the others
_MOST_READ = 20_000  # messages of one search that are read and compared
_MOST_HITS = 3  # of one conversation
_MOST_TERMS = 12
_TERM = re.compile(r'(?<!\S)"([^"]*\S[^"]*)"(?!\S)|(\S+)')
_COLUMNS = "m.id, m.conversation_id, m.role, m.content, m.reasoning"
# {owned} becomes a query for the ids of conversations.
_OF_CONVERSATIONS = """playground_message m
    WHERE m.conversation_id IN ({owned}) AND m.deleted_at IS NULL ORDER BY m.id DESC"""

Row = tuple[int, str, str, str, str]


class Hit(Struct, frozen=True):
    """A message that contains every term: `place` is question, answer or reasoning."""

    message: int
    place: str
    snippet: Snippet


def terms_of(query: str) -> list[str]:
    """The folded terms of a query; none for a query of blanks."""
    found = (" ".join((phrase or term).split()) for phrase, term in _TERM.findall(query))
    return [folded for term in dict.fromkeys(found) if (folded := fold(term))][:_MOST_TERMS]


def search(conversations: QuerySet[Conversation], terms: Sequence[str], count: int) -> dict[UUID, list[Hit]]:
    """The first `count` of these conversations that are found, in the order above, each with its hits."""
    pinned = conversations.filter(is_pinned=True)
    first = set(pinned.values_list("pk", flat=True))
    titles = _titles_with_any(conversations, terms)
    found = {pk: list[Hit]() for pk, title in titles.items() if all(term in title for term in terms)}
    named = conversations.filter(pk__in=[pk for pk in titles if pk not in found][:_MOST_NAMED])
    for rows in (_rows(_OF_CONVERSATIONS, pinned), _rows(_OF_CONVERSATIONS, named)):
        _collect(rows, terms, titles, found, count + len(found) + len(first))
    index = word_table if connection.vendor == "postgresql" else trigram_index
    if source := index.source(terms):
        rows = _rows(source[0], conversations, *source[1])
        _collect(rows, terms, titles, found, count + sum(pk in first for pk in found))
    return {pk: found[pk] for pk in sorted(found, key=lambda pk: pk not in first)[:count]}


class Fold(Func):
    """The folded value of a column, in the database."""

    function = SQL_NAME
    output_field = TextField()


def _titles_with_any(conversations: QuerySet[Conversation], terms: Sequence[str]) -> dict[UUID, str]:
    """The folded titles that contain a term, in the order of the list."""
    if connection.vendor == "postgresql":  # which cannot fold
        folded = ((pk, fold(title)) for pk, title in conversations.values_list("pk", "title").iterator())
        return dict(islice((one for one in folded if any(term in one[1] for term in terms)), MOST_FOUND))
    title = Fold("title")
    contains = [GreaterThan(StrIndex(title, Value(term)), 0) for term in terms]
    named = conversations.filter(reduce(or_, map(Q, contains)))
    return dict(named.values_list("pk", title)[:MOST_FOUND])


def _collect(
    rows: Iterator[Row],
    terms: Sequence[str],
    titles: Mapping[UUID, str],
    found: dict[UUID, list[Hit]],
    count: int,
) -> None:
    """Add the hits of `rows` until `count` conversations are found or enough messages are read.

    What a conversation's title contains, its message need not.
    """
    for message, conversation, role, content, reasoning in islice(rows, _MOST_READ):
        pk = _pk(conversation)
        hits = found.get(pk)
        if hits is None and len(found) >= count:
            return
        if hits and (len(hits) >= _MOST_HITS or any(hit.message == message for hit in hits)):
            continue
        title = titles.get(pk, "")
        left = [term for term in terms if term not in title] or terms
        if hit := _hit(message, role, (content, reasoning), left, terms):
            found.setdefault(pk, []).append(hit)


@lru_cache(maxsize=4096)
def _pk(stored: str | UUID) -> UUID:
    """The id of a conversation as a row has it, which depends on the database."""
    return UUID(str(stored))


def _hit(
    message: int, role: str, texts: tuple[str, str], needed: Sequence[str], terms: Sequence[str]
) -> Hit | None:
    """The message if its content and reasoning contain the needed terms; all terms are marked."""
    content = fold(texts[0])
    missing = [term for term in needed if term not in content]
    if missing and not _contains_all(texts[1], missing):
        return None
    if any(term in content for term in needed):
        return Hit(message, "question" if role == "user" else "answer", snippet(texts[0], terms))
    return Hit(message, "reasoning", snippet(texts[1], terms))


def _contains_all(text: str, terms: Sequence[str]) -> bool:
    folded = fold(text)
    return all(term in folded for term in terms)


def _rows(source: str, conversations: QuerySet[Conversation], *parameters: str) -> Iterator[Row]:
    try:
        owned, of_owned = conversations.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return
    query = f"SELECT {_COLUMNS} FROM {source.format(owned=owned)}"  # noqa: S608 - texts of ours alone
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [*parameters, *of_owned])
        while rows := cursor.fetchmany(100):
            yield from rows
