"""Entries in the admin's log for actions outside of change forms; Django logs those itself."""

from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from inference.accounts.permissions import Account

_LONGEST_NAME = 200


def write(
    user: Account, kind: type[Model], name: str, message: str, row: Model | None = None, flag: int = CHANGE
) -> None:
    """Log what a user who is signed in did to `name`; with `row` the entry is in that row's history too."""
    LogEntry.objects.create(
        user=cast(User, user),
        content_type=ContentType.objects.get_for_model(kind),
        object_id=str(row.pk) if row else None,
        object_repr=name[:_LONGEST_NAME],
        action_flag=flag,
        change_message=message,
    )
