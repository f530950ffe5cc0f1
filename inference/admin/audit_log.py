"""The admin's log of who did what, for what is no page of an object: Django's own writes the others."""

from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

_LONGEST_NAME = 200


def write(request: HttpRequest, kind: type[Model], name: str, words: str, row: Model | None = None) -> None:
    """Add what this user did; with its row it is in that row's history too."""
    LogEntry.objects.create(
        user=cast(User, request.user),  # the admin's pages are for who has signed in
        content_type=ContentType.objects.get_for_model(kind),
        object_id=str(row.pk) if row else None,
        object_repr=name[:_LONGEST_NAME],
        action_flag=CHANGE,
        change_message=words,
    )
