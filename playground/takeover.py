"""Chats of an open site that were made without an account, and that an account may take over."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from inference.core.errors import PermissionDenied
from playground.models import Conversation

_SHOWN = 5


def offer(user: User | None) -> dict[str, Any]:
    """How many chats `user` may take over, and the titles of the latest; none without an account."""
    if user is None or not settings.CONFIG.is_open:
        return {"count": 0, "titles": []}
    found = Conversation.objects.filter(user=None, deleted_at=None).order_by("-changed_at")
    return {"count": found.count(), "titles": [str(one) for one in found[:_SHOWN]]}


def take_over(user: User | None) -> list[Any]:
    """Give every chat without an account to `user`; returns the ids.

    The update is conditional, so of two accounts that ask at the same time one gets each chat. Whoever can
    reach an open site can read these chats already; where an account is needed, nobody may take them.

    Raises PermissionDenied without an account, and on a site that is not open.
    """
    if user is None or not settings.CONFIG.is_open:
        raise PermissionDenied("Only an account of an open site can take over its chats.")
    free = Conversation.objects.filter(user=None, deleted_at=None)
    return [pk for pk in list(free.values_list("pk", flat=True)) if free.filter(pk=pk).update(user=user)]
