"""Import: adding the messages of an exported conversation, thousands of them, in batches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from inference.core.errors import InvalidValue
from playground import batched_writes
from playground.models import Conversation, Message

_IMPORTED = (
    *("role", "content", "reasoning", "calls", "model"),
    *("status", "error", "figures", "tokens", "made", "edited_at"),
)
_LONG = ("content", "reasoning", "tokens", "calls", "made")
ByExportedId = dict[int | None, Message | None]


def check_order(messages: Iterable[Mapping[str, Any]]) -> None:
    """Raise InvalidValue unless each message comes after its parent."""
    seen: set[int | None] = {None}
    for message in messages:
        if message["parent"] not in seen:
            raise InvalidValue("A message comes before the one it answers.", param="messages")
        seen.add(message["id"])


def add_messages(
    conversation: Conversation, messages: Sequence[Mapping[str, Any]], tip: int | None = None
) -> Message | None:
    """Add messages that `check_order` accepted; returns the message `tip`, or the last one without it.

    The ids in an export are those of the site that wrote it. Each message gets a new id, and
    `ByExportedId` maps the old ids to the new messages, so that later messages find their parents, also in
    earlier batches. Of two messages with the same old id, later ones follow the second.
    """
    added: ByExportedId = {None: None}
    for batch in batched_writes.batches(messages, _length):
        with batched_writes.short_transaction():
            Message.objects.bulk_create(_new_messages(conversation, batch, added))
    return added.get(tip) or (added[messages[-1]["id"]] if messages else None)


def _new_messages(
    conversation: Conversation, batch: Sequence[Mapping[str, Any]], added: ByExportedId
) -> list[Message]:
    """Unsaved messages with their ids assigned, because children in the same batch refer to them."""
    created = []
    for pk, exported in enumerate(batch, _next_id()):
        fields = {name: exported[name] for name in _IMPORTED if name in exported}
        message = Message(pk=pk, conversation=conversation, parent=added[exported["parent"]], **fields)
        added[exported["id"]] = message
        created.append(message)
    return created


def _next_id() -> int:
    """The id of the next message, which no message has ever had.

    Call it in the transaction that uses it: until that ends, no other writer adds messages.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [Message._meta.db_table])
        last = cursor.fetchone()
    return (last[0] if last else 0) + 1


def _length(message: Mapping[str, Any]) -> int:
    return sum(len(str(message.get(name, ""))) for name in _LONG)
