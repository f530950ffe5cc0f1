"""Who may chat from the browser: everybody on an open loopback site, otherwise signed-in users."""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from inference.types import Principal

User = AbstractBaseUser | AnonymousUser


def visitor(user: User | None) -> Principal | None:
    """The principal a browser request speaks for, or None when it has to sign in first."""
    if user is not None and user.is_authenticated and user.is_active:
        return Principal(kind="user", name=user.get_username())
    if settings.CONFIG.is_open:
        return Principal(kind="local")
    return None
