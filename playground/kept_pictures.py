"""The bytes of pictures, in a table beside the messages that name them."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from inference.core.errors import NotFound
from inference.core.requests import Picture
from playground import batched_writes
from playground.models import Conversation, Message, PendingAttachment, StoredPicture

Attachments = Sequence[Mapping[str, Any]]


def pictures_in(attachments: Attachments | None) -> list[Mapping[str, Any]]:
    """Those of a message's files that are pictures."""
    return [one for one in attachments or () if "media_type" in one]


def ids_in(messages: Iterable[Attachments | None]) -> set[str]:
    """The ids of all pictures in the files of these messages."""
    return {one["id"] for attachments in messages for one in pictures_in(attachments)}


def keep(pending: PendingAttachment, picture: Picture) -> StoredPicture:
    """Store the bytes of a file that was not sent yet."""
    return StoredPicture.objects.create(pk=pending.pk, pending=pending, **_columns(picture))


def of_pending(pending: PendingAttachment) -> Picture | None:
    """The picture that a file is which was not sent yet; None for a text."""
    found = StoredPicture.objects.filter(pending=pending).first()
    return _picture(found) if found else None


def sent(pending: Iterable[PendingAttachment], conversation: Conversation) -> None:
    """The files are sent: their pictures are the conversation's from now on."""
    StoredPicture.objects.filter(pending__in=list(pending)).update(pending=None, conversation=conversation)


def read(conversation: UUID, ids: Collection[str]) -> dict[str, Picture]:
    """The pictures of a conversation by their ids; those that are gone are left out."""
    if not ids:
        return {}
    found = StoredPicture.objects.filter(conversation=conversation, pk__in=ids)
    return {str(one.pk): _picture(one) for one in found.iterator()}


def read_of(conversation: UUID, messages: Iterable[Message]) -> dict[str, Picture]:
    """The pictures that these messages of a conversation name."""
    return read(conversation, ids_in(message.attachments for message in messages))


def with_pictures(exported: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation as the store exports it, with all its pictures."""
    named = ids_in(message["attachments"] for message in exported["messages"])
    return {**exported, "pictures": read(UUID(exported["id"]), named)}


def get(conversation: UUID, pk: str) -> Picture:
    """One of a conversation; raises NotFound."""
    found = read(conversation, [pk])
    if pk not in found:
        raise NotFound("There is no such picture; its message may have been deleted.")
    return found[pk]


def add(conversation: Conversation, pictures: Mapping[str, Picture]) -> dict[str, dict[str, Any]]:
    """Store copies, each in a transaction of its own; returns by its former id what a message keeps of it."""
    added = {}
    for former, picture in pictures.items():
        with batched_writes.short_transaction():
            stored = StoredPicture.objects.create(
                pk=uuid.uuid4(), conversation=conversation, **_columns(picture)
            )
        added[former] = {"id": str(stored.pk), "size": len(picture.data), **stored.facts}
    return added


def delete(conversation: UUID, *, named: Collection[str] = ()) -> None:
    """Delete a conversation's pictures but those that are named, each in a transaction of its own."""
    for pk in list(StoredPicture.objects.filter(conversation=conversation).values_list("pk", flat=True)):
        if str(pk) not in named:
            with batched_writes.short_transaction():
                StoredPicture.objects.filter(pk=pk).delete()


def _columns(picture: Picture) -> dict[str, Any]:
    facts = {name: getattr(picture, name) for name in ("media_type", "width", "height")}
    return {**facts, "data": picture.data}


def _picture(stored: StoredPicture) -> Picture:
    return Picture(data=bytes(stored.data), **stored.facts)
