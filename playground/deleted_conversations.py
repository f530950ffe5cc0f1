"""What a visitor deleted: listed, and gone for good before its time."""

import math
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from inference.core.errors import NotFound
from playground.conversation_list import PAGE
from playground.models import Conversation
from playground.purge import KEPT_DELETED, purge_of


class DeletedConversations:
    """One visitor's deleted conversations; the user None is every visitor of an open site."""

    def __init__(self, user: User | None) -> None:
        self._user = user

    def page(self, offset: int = 0) -> dict[str, Any]:
        """At most PAGE of them from `offset` on, the latest first, their number, and whether more follow.

        `days_left` is how long each can be restored, in days that have begun.
        """
        now = timezone.now()
        deleted = self._restorable(now).order_by("-deleted_at")
        rows = list(deleted[offset : offset + PAGE + 1])
        shown = [row.summary | self._dates(row.deleted_at, now) for row in rows[:PAGE] if row.deleted_at]
        return {"conversations": shown, "has_more": len(rows) > PAGE, "count": deleted.count()}

    def expire(self, pk: UUID | None = None) -> None:
        """Let one of them, or all, be restored no longer; `purge` removes its rows. Raises NotFound."""
        now = timezone.now()
        deleted = self._restorable(now)
        expired = (deleted if pk is None else deleted.filter(pk=pk)).update(deleted_at=now - 2 * KEPT_DELETED)
        if pk is not None and not expired:
            raise NotFound("There is no such deleted chat; it may have been restored or deleted for good.")

    def purge(self) -> None:
        """Remove the rows of those that cannot be restored; this takes a while for many."""
        purge_of(self._owned())

    def _restorable(self, now: datetime) -> QuerySet[Conversation]:
        return self._owned().filter(deleted_at__gte=now - KEPT_DELETED, deleted_at__lte=now)

    def _owned(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(user=self._user)

    @staticmethod
    def _dates(deleted_at: datetime, now: datetime) -> dict[str, Any]:
        left = deleted_at + KEPT_DELETED - now
        return {
            "deleted_at": deleted_at.isoformat(),
            "days_left": max(1, math.ceil(left.total_seconds() / 86_400)),
        }
