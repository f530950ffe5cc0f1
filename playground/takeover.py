"""Chats of an open site that were made without an account, and that an account may take over."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from inference.core.errors import PermissionDenied
from playground.folder_store import FolderStore
from playground.models import Conversation, PendingAttachment

_SHOWN = 5


def offer(user: User | None) -> dict[str, Any]:
    """How many chats `user` may take over, and the titles of the latest; none without an account."""
    if user is None or not settings.CONFIG.is_open:
        return {"count": 0, "titles": []}
    found = Conversation.objects.filter(user=None, deleted_at=None).order_by("-changed_at")
    return {"count": found.count(), "titles": [str(one) for one in found[:_SHOWN]]}


def take_over(user: User | None) -> list[UUID]:
    """Give every chat without an account to `user`, with the folders; returns the chats' ids.

    Read and update are one transaction, which has the database's only writer: of two accounts that ask at the
    same time, one gets each chat. Whoever reaches an open site can read these chats already; where an account
    is needed, nobody may take them.

    Raises PermissionDenied without an account, and on a site that is not open.
    """
    if user is None or not settings.CONFIG.is_open:
        raise PermissionDenied("Only an account of an open site can take over its chats.")
    with transaction.atomic():
        free = Conversation.objects.filter(user=None, deleted_at=None)
        taken = list(free.values_list("pk", flat=True))
        free.update(user=user)
        FolderStore(None).move_to(FolderStore(user))
        PendingAttachment.objects.filter(user=None).update(user=user)
    return taken
