"""The list of a visitor's conversations: its pages, its folders, and what a search finds."""

from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from msgspec import to_builtins

from playground.models import Conversation
from playground.search import MOST_FOUND, search, terms_of
from playground.snippet import snippet

PAGE = 50
_MOST_IN_FOLDERS = 500  # conversations that come with the first page


def page(conversations: QuerySet[Conversation], *, query: str = "", offset: int = 0) -> dict[str, Any]:
    """At most PAGE of the conversations from `offset` on, and whether more follow."""
    if terms := terms_of(query):
        return _found(conversations, terms, offset)
    rows = list(conversations[offset : offset + PAGE + 1])
    return {"conversations": [row.summary for row in rows[:PAGE]], "has_more": len(rows) > PAGE}


def grouped(conversations: QuerySet[Conversation], names: list[str]) -> dict[str, Any]:
    """The first page of those that are pinned or in no folder, and each folder with its first page.

    `names` are folders that may be empty. Of all folders together at most _MOST_IN_FOLDERS conversations are
    returned; what is missing is read by `in_folder`.
    """
    counts = dict(
        conversations.exclude(folder="")
        .order_by()
        .values_list("folder")
        .annotate(count=Count("pk", filter=Q(is_pinned=False)))
    )
    ranked = (
        conversations.filter(is_pinned=False)
        .exclude(folder="")
        .annotate(rank=Window(RowNumber(), partition_by=F("folder"), order_by=F("changed_at").desc()))
        .filter(rank__lte=PAGE)
    )
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in ranked.order_by("rank", "folder")[:_MOST_IN_FOLDERS]:
        rows.setdefault(row.folder, []).append(row.summary)
    folders = [
        {
            "name": name,
            "count": counts.get(name, 0),
            "conversations": rows.get(name, []),
            "has_more": len(rows.get(name, [])) < counts.get(name, 0),
        }
        for name in sorted({*names, *counts}, key=lambda name: (name.casefold(), name))
    ]
    return page(unfiled(conversations)) | {"folders": folders}


def unfiled(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Those outside of folders; pinned ones stand on top of the list, whatever their folder."""
    return conversations.filter(Q(folder="") | Q(is_pinned=True))


def in_folder(conversations: QuerySet[Conversation], name: str) -> QuerySet[Conversation]:
    """Those that stand in this folder."""
    return conversations.filter(folder=name, is_pinned=False)


def _found(conversations: QuerySet[Conversation], terms: list[str], offset: int) -> dict[str, Any]:
    last = min(offset + PAGE, MOST_FOUND)
    found = search(conversations, terms, last + 1)
    shown = list(found)[offset:last]
    rows = conversations.in_bulk(shown)
    hits = {pk: to_builtins(found[pk]) for pk in shown}
    found_rows = [rows[pk] for pk in shown if pk in rows]
    return {
        "conversations": [
            row.summary | {"hits": hits[row.pk], "title_snippet": snippet(str(row), terms)}
            for row in found_rows
        ],
        "has_more": len(found) > last and last < MOST_FOUND,
    }
