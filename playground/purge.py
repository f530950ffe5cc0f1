"""Deleting for good what visitors deleted: for a day it can be restored, and then none of it is left.

The rows are overwritten as they go (secure_delete, mlxsite/settings.py). The index of words keeps those of a
deleted message until its segments are merged (https://www.sqlite.org/fts5.html#the_merge_command), and the
write-ahead log keeps what was on a page before, so both are seen to.
"""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from playground import batched_writes
from playground.models import Conversation, Message

KEPT_DELETED = timedelta(days=1)
_PAGES = 64  # of the index, merged in one piece
_CHECKPOINT_WAIT_MS = 100


# Whether traces of deleted words may be left; so it is at the start, for nobody knows what was before.
_HAS_TRACES = threading.Event()
_HAS_TRACES.set()


def purge() -> None:
    """Delete what everybody deleted a day ago and earlier; for upkeep, whose thread may wait."""
    purge_of(Conversation.objects.all())
    if _HAS_TRACES.is_set():
        _HAS_TRACES.clear()
        _merge_words()
        _empty_log()


def purge_of(conversations: "QuerySet[Conversation]") -> None:
    """Delete those of the conversations whose day is over."""
    old = conversations.filter(deleted_at__lt=timezone.now() - KEPT_DELETED)
    for pk in list(old.values_list("pk", flat=True)):
        _delete(pk)


def note(**signal: Any) -> None:
    """A conversation was deleted, perhaps with its owner's account: its words are to be seen to."""
    _HAS_TRACES.set()


def _delete(conversation: UUID) -> None:
    """Delete a conversation that nobody can reach any more, in pieces."""
    Conversation.objects.filter(pk=conversation).update(tip=None)
    # Backwards, so that no message goes before those that answer it: they would all go with it at once.
    lengths = Length("content") + Length("reasoning") + Length("tokens")
    messages = Message.objects.filter(conversation=conversation).order_by("-pk")
    rows = list(messages.values_list("pk", lengths))
    for some in batched_writes.cut(rows, lambda row: row[1] or 0):
        with batched_writes.piece():
            Message.objects.filter(pk__in=[pk for pk, _ in some]).delete()
    Conversation.objects.filter(pk=conversation).delete()


def _merge_words() -> None:
    """Merge the index of words into one segment, which holds no deleted ones."""
    pages = -_PAGES  # to begin with all segments, however few there are
    with connection.cursor() as cursor:
        while True:
            before = connection.connection.total_changes
            with batched_writes.piece():
                cursor.execute(
                    "INSERT INTO playground_words(playground_words, rank) VALUES('merge', %s)", [pages]
                )
            if connection.connection.total_changes - before < 2:  # nothing was left to merge
                return
            pages = _PAGES


def _empty_log() -> None:
    """Have the write-ahead log begin anew, unless somebody reads in it just now: later, then."""
    if connection.in_atomic_block:  # in a test
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
