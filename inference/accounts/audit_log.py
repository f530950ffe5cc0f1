"""Entries in the admin's log for actions outside of change forms; Django logs those itself."""

import logging
from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractUser, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from inference.accounts.permissions import Account

logger = logging.getLogger(__name__)
_LONGEST_NAME = 200


def record(
    giver: AbstractUser | None, owner: AbstractUser, row: Model, text: str, flag: int = CHANGE
) -> None:
    """Note in the server's log and in the row's history what `giver` did to a row of `owner`.

    Without a giver it was the operator, at the command line or with the operator's key. An entry of a history
    needs an account: that is the owner's then, and the entry says so.
    """
    logger.info("%r: %s: %s", giver.get_username() if giver else "The operator", row, text)
    shown = text if giver else f"{text} The operator did this."
    write(giver or owner, type(row), str(row), shown, row, flag)


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
