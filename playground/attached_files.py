"""Files of questions: kept by themselves until their question is sent, and then in its message.

Each message has its own copies of texts, so that they are exported, copied and deleted with it. The bytes of
pictures are in a table of their own (kept_pictures.py).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from inference.accounts.storage_quota import STORAGE
from inference.core.errors import InvalidValue, NotFound, QueueFull
from inference.core.requests import Picture
from playground import kept_pictures
from playground.file_text.limits import MAX_CHARACTERS
from playground.models import LONGEST_FILE_NAME, Conversation, Message, PendingAttachment

KEPT_PENDING = timedelta(days=7)  # as long as a draft may wait
_MAX_PENDING = 200  # of one visitor
_MAX_TOTAL = 4 * MAX_CHARACTERS  # of one question


def add(user: User | None, name: str, size: int, content: str | Picture) -> PendingAttachment:
    """Keep a text or a picture until its question is sent.

    Raises QueueFull when many are kept, or a storage error.
    """
    if _pending(user).count() >= _MAX_PENDING:
        raise QueueFull("You have many files that were not sent; remove some.", retry_after=60)
    text = content if isinstance(content, str) else ""
    stored = text.encode(errors="replace") if isinstance(content, str) else content.data
    STORAGE.check(user.get_username() if user else "", len(stored))
    clean = " ".join(name.replace("\0", "").split())[:LONGEST_FILE_NAME] or "Pasted file"
    with transaction.atomic():
        added = PendingAttachment.objects.create(user=user, name=clean, size=size, text=text)
        if isinstance(content, Picture):
            kept_pictures.keep(added, content)
    return added


def get(user: User | None, pk: UUID) -> PendingAttachment:
    """The file that was not sent yet; raises NotFound."""
    found = _pending(user).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such file; it may have been removed.")
    return found


def file_in(messages: Sequence[Message], pk: UUID) -> Mapping[str, Any]:
    """The file of one of the messages, as the message keeps it; raises NotFound."""
    for message in messages:
        for attachment in message.attachments or ():
            if attachment["id"] == str(pk):
                return dict(attachment)
    raise NotFound("There is no such file; its message may have been deleted.")


def take(user: User | None, conversation: Conversation, ids: Sequence[str]) -> list[dict[str, Any]] | None:
    """The files with these ids, for a message: those not sent yet, and those of the conversation's messages.

    The former are no longer kept by themselves. Raises InvalidValue for a file that is not there, and for
    more text than a question may have.
    """
    if not ids:
        return None
    pending = _pending(user).filter(pk__in=ids)
    known = {str(one.pk): one.stored for one in pending}
    if len(known) < len(set(ids)):
        for message in conversation.messages.filter(attachments__isnull=False):
            known |= {one["id"]: one for one in message.attachments or ()}
    if missing := [one for one in ids if one not in known]:
        raise InvalidValue("A file is no longer there; attach it again.", param=f"attachments.{missing[0]}")
    files = [known[one] for one in dict.fromkeys(ids)]
    if sum(len(one.get("text", "")) for one in files) > _MAX_TOTAL:
        raise InvalidValue(
            f"The files have more than {_MAX_TOTAL:,} characters together; remove some.", param="attachments"
        )
    kept_pictures.sent(pending, conversation)
    pending.delete()
    return files


def forget_old() -> None:
    """Delete the files of questions that nobody sent."""
    PendingAttachment.objects.filter(created_at__lt=timezone.now() - KEPT_PENDING).delete()


def _pending(user: User | None) -> "QuerySet[PendingAttachment]":
    return PendingAttachment.objects.filter(user=user)
