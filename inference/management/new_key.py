"""A new API key for a user, as commands make one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError

from inference.core.installation import PROGRAM
from inference.models.api_key import ApiKey


def owner_of(name: str) -> Any:
    """The user of this name; raises CommandError."""
    owner = get_user_model().objects.filter(username=name).first()
    if owner is None:
        raise CommandError(f"There is no user {name!r}; `{PROGRAM} createsuperuser` creates one.")
    return owner


def save(key: ApiKey) -> str:
    """Save a new key and return its secret; raises CommandError for fields that are not valid."""
    secret = key.give_secret()
    try:
        key.full_clean()
    except ValidationError as error:
        problems = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError(problems) from None
    key.save()
    return secret
