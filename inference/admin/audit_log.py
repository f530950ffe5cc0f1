"""Entries in the admin's log for actions outside of change forms; Django logs those itself."""

from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

_LONGEST_NAME = 200


def write(request: HttpRequest, kind: type[Model], name: str, message: str, row: Model | None = None) -> None:
    """Log what the user of `request` did to `name`; with `row` the entry is in that row's history too."""
    LogEntry.objects.create(
        user=cast(User, request.user),  # the admin's pages require a login
        content_type=ContentType.objects.get_for_model(kind),
        object_id=str(row.pk) if row else None,
        object_repr=name[:_LONGEST_NAME],
        action_flag=CHANGE,
        change_message=message,
    )
