"""Permanent deletion of conversations that visitors deleted more than KEPT_DELETED ago.

Until then a conversation can be restored; afterwards no trace of its text is left. SQLite overwrites the
deleted rows (secure_delete, mlxsite/settings.py). Two other places keep text longer, so the purge also clears
those: the full-text index keeps the words of a deleted message until its segments are merged
(https://www.sqlite.org/fts5.html#the_merge_command), and the write-ahead log keeps earlier versions of pages.
PostgreSQL has neither: it frees the place of deleted rows by itself (autovacuum), and overwrites it later.
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Length
from django.utils import timezone

from inference.accounts.storage_quota import ByteLength
from playground import batched_writes, kept_pictures
from playground.kept_pictures import ids_in
from playground.models import Conversation, Message

KEPT_DELETED = timedelta(days=30)
IN_IMPORT = datetime(9999, 12, 31, tzinfo=UTC)  # as `deleted_at` of a conversation that is being imported
_LONGEST_IMPORT = timedelta(days=1)
_MERGED_PAGES = 64  # of the full-text index, in one transaction
_CHECKPOINT_WAIT_MS = 100


# Whether index and log may contain deleted text; set at first, for an earlier process may have left some.
_HAS_TRACES = threading.Event()
_HAS_TRACES.set()


def purge() -> None:
    """Delete what any visitor deleted more than KEPT_DELETED ago, and its traces; call it from a thread."""
    purge_of(Conversation.objects.all())
    _purge_messages()
    if _HAS_TRACES.is_set() and connection.vendor == "sqlite":
        _HAS_TRACES.clear()
        _merge_index()
        _truncate_log()


def purge_of(conversations: "QuerySet[Conversation]") -> None:
    """Delete those of `conversations` that can no longer be restored, and what broken imports left."""
    now = timezone.now()
    broken = Q(deleted_at=IN_IMPORT, created_at__lt=now - _LONGEST_IMPORT)
    expired = conversations.filter(Q(deleted_at__lt=now - KEPT_DELETED) | broken)
    for pk in list(expired.values_list("pk", flat=True)):
        _delete(pk)


def mark_traces(**signal: Any) -> None:
    """Have the next purge clear index and log: a conversation was deleted, perhaps with its owner."""
    _HAS_TRACES.set()


def _delete(conversation: UUID) -> None:
    """Delete a conversation that nobody can reach any more, in batches."""
    Conversation.objects.filter(pk=conversation).update(tip=None)
    _delete_messages(Message.objects.filter(conversation=conversation))
    kept_pictures.delete(conversation)
    Conversation.objects.filter(pk=conversation).delete()


def _purge_messages() -> None:
    """Delete the messages of undeleted conversations that can no longer be restored."""
    expired = Message.objects.filter(deleted_at__lt=timezone.now() - KEPT_DELETED)
    conversations = set(expired.values_list("conversation", flat=True))
    if conversations:
        _delete_messages(expired)
        mark_traces()
    for conversation in conversations:
        left = Message.objects.filter(conversation=conversation, attachments__isnull=False)
        kept_pictures.delete(conversation, named=ids_in(left.values_list("attachments", flat=True)))


def _delete_messages(messages: "QuerySet[Message]") -> None:
    """Delete messages, in batches."""
    # Last messages first: deleting a message deletes its descendants with it, all in one transaction.
    lengths = Coalesce(ByteLength("attachments"), 0) + ByteLength("tokens")
    lengths += Length("content") + Length("reasoning")
    rows = list(messages.order_by("-pk").values_list("pk", lengths))
    for batch in batched_writes.batches(rows, lambda row: row[1] or 0):
        with batched_writes.short_transaction():
            Message.objects.filter(pk__in=[pk for pk, _ in batch]).delete()


def _merge_index() -> None:
    """Merge the full-text index into one segment, which contains no deleted words."""
    pages = -_MERGED_PAGES  # the first call merges all segments, however few there are
    with connection.cursor() as cursor:
        while True:
            before = connection.connection.total_changes
            with batched_writes.short_transaction():
                cursor.execute(
                    "INSERT INTO playground_words(playground_words, rank) VALUES('merge', %s)", [pages]
                )
            if connection.connection.total_changes - before < 2:  # nothing was left to merge
                return
            pages = _MERGED_PAGES


def _truncate_log() -> None:
    """Empty the write-ahead log, unless another connection reads from it now; the next purge tries again."""
    if connection.in_atomic_block:  # in a test
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
