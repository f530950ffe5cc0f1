"""A new API key for a user, as commands issue one."""

from django.contrib.auth.models import User
from django.core.management import CommandError

from inference.core.errors import InvalidValue, ModelNotFound
from inference.core.installation import PROGRAM
from inference.serving import issued_keys
from inference.serving.issued_keys import KeyWishes


def owner_of(name: str) -> User:
    """The user of this name; raises CommandError."""
    owner = User.objects.filter(username=name).first()
    if owner is None:
        raise CommandError(f"There is no user {name!r}; `{PROGRAM} createsuperuser` creates one.")
    return owner


def issue(wishes: KeyWishes) -> str:
    """Issue a key for the user that the wishes name, and return its secret; raises CommandError."""
    owner_of(wishes.owner)
    try:
        key = issued_keys.issue(wishes, None)
    except ModelNotFound as error:
        raise CommandError(f"{error} `{PROGRAM} models` lists them.") from None
    except InvalidValue as error:
        raise CommandError(f"{error.param}: {error}") from None
    return key.secret or ""
