"""Import: adding the messages of an exported conversation, thousands of them, in batches."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from inference.core.errors import InvalidValue
from playground import batched_writes
from playground.dates import as_text, parse_date
from playground.models import Conversation, Message

_IMPORTED = (
    *("role", "content", "reasoning", "calls", "model"),
    *("status", "error", "figures", "tokens", "made", "edited_at"),
)
_LONG = ("content", "attachments", "reasoning", "tokens", "calls", "made")
ByExportedId = dict[int | None, Message | None]
Pictures = Mapping[str, Mapping[str, Any]]  # by their ids in the export: what a message keeps of each
_NO_PICTURES: Pictures = {}


def check_order(messages: Iterable[Mapping[str, Any]]) -> None:
    """Raise InvalidValue unless each message comes after its parent."""
    seen: set[int | None] = {None}
    for message in messages:
        if message["parent"] not in seen:
            raise InvalidValue("A message precedes the one that it answers.", param="messages")
        seen.add(message["id"])


def row(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an imported conversation; one without dates of its own is from now."""
    changed_at = parse_date(fields.get("changed_at")) or timezone.now()
    return {
        "title": fields.get("title", ""),
        "folder": fields.get("folder", ""),
        "is_pinned": fields.get("is_pinned", False),
        "settings": dict(fields.get("settings", {})),
        "created_at": parse_date(fields.get("created_at")) or changed_at,
        "changed_at": changed_at,
        "import_key": fields.get("import_key"),
        "copied_from": fields.get("copied_from"),
    }


def dates_of(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The dates of a conversation whose export has none: those of its first and its last message."""
    dates = sorted(filter(None, (as_text(message.get("at")) for message in messages)))
    return {"created_at": dates[0], "changed_at": dates[-1]} if dates else {}


def imported_before(conversations: "QuerySet[Conversation]", import_key: str) -> Conversation | None:
    """The conversation that an earlier import of the same chat added."""
    return conversations.filter(import_key=import_key).first()


def unchanged(conversations: "QuerySet[Conversation]", fields: Mapping[str, Any]) -> Conversation | None:
    """The very conversation that was exported, if it is here as it was then."""
    changed_at = parse_date(fields.get("changed_at"))
    try:
        pk = uuid.UUID(fields.get("id", ""))
    except ValueError:
        return None
    found = conversations.filter(pk=pk, changed_at=changed_at).first() if changed_at else None
    return (
        found if found and found.messages.filter(deleted_at=None).count() == len(fields["messages"]) else None
    )


def add_messages(
    conversation: Conversation,
    messages: Sequence[Mapping[str, Any]],
    tip: int | None = None,
    pictures: Pictures = _NO_PICTURES,
) -> int | None:
    """Add messages that `check_order` accepted; returns the id of `tip`, or of the last one without it.

    By its id: a message and its conversation would keep each other, and with them all other messages, until a
    collection of garbage.

    Pictures that are not among `pictures` are left out.

    The ids in an export are those of the site that wrote it. Each message gets a new id, and
    `ByExportedId` maps the old ids to the new messages, so that later messages find their parents, also in
    earlier batches. Of two messages with the same old id, later ones follow the second.
    """
    added: ByExportedId = {None: None}
    for batch in batched_writes.batches(messages, _length):
        with batched_writes.short_transaction():
            Message.objects.bulk_create(_new_messages(conversation, batch, added, pictures))
    last = added.get(tip) or (added[messages[-1]["id"]] if messages else None)
    return last.pk if last else None


def _new_messages(
    conversation: Conversation,
    batch: Sequence[Mapping[str, Any]],
    added: ByExportedId,
    pictures: Pictures,
) -> list[Message]:
    """Unsaved messages with their ids assigned, because children in the same batch refer to them."""
    created = []
    for pk, exported in zip(_new_ids(len(batch)), batch, strict=True):
        fields = {name: exported[name] for name in _IMPORTED if name in exported}
        files = [_attachment(one, pictures) for one in exported.get("attachments") or ()]
        if any(files):
            fields["attachments"] = [one for one in files if one]
        if moment := parse_date(exported.get("at")):
            fields["created_at"] = moment
        message = Message(pk=pk, conversation=conversation, parent=added[exported["parent"]], **fields)
        added[exported["id"]] = message
        created.append(message)
    return created


def _attachment(exported: Mapping[str, Any], pictures: Pictures) -> dict[str, Any] | None:
    """A file with an id of its own, so that it is found in this conversation alone; None: it is lost."""
    if "text" not in exported:
        kept = pictures.get(exported["id"])
        return {"name": exported["name"], **kept} if kept else None
    text = exported["text"]
    size = exported.get("size") or len(text.encode())
    return {"id": str(uuid.uuid4()), "name": exported["name"], "size": size, "text": text}


def _new_ids(count: int) -> Iterable[int]:
    """The ids of the next messages, which no message has ever had.

    Call it in the transaction that uses them: on SQLite, no other writer adds messages until that ends.
    """
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            taken = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            cursor.execute(taken, [table, count])
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
    first = (last[0] if last else 0) + 1
    return range(first, first + count)


def _length(message: Mapping[str, Any]) -> int:
    return sum(len(str(message.get(name, ""))) for name in _LONG)
