"""Permissions: to chat in the browser, and to view and operate the server in the admin."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils.crypto import constant_time_compare

from inference.core.errors import PermissionDenied
from inference.core.principal import ANYBODY, Principal, Scope
from inference.storage.database_threads import in_database

User = AbstractBaseUser | AnonymousUser
Account = AbstractUser | AnonymousUser
_RIGHTS_OF_SCOPES: dict[Scope, tuple[str, ...]] = {
    "manage": ("run_servedmodel",),
    "metrics": ("run_servedmodel", "view_servedmodel"),
}


def signed_in(session_key: str | None) -> Account:
    """The account of a session now: it may have ended since its page was opened. Queries the database."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    number, known = session.get(SESSION_KEY), session.get(HASH_SESSION_KEY, "")
    is_valid = session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS and number
    user = get_user_model().objects.filter(pk=number, is_active=True).first() if is_valid else None
    if user is None:
        return AnonymousUser()
    # The hash of the password: a change ends the sessions that began before it.
    fitting = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(known, one) for one in fitting) else AnonymousUser()


def visitor(user: User | None) -> Principal | None:
    """The principal of a browser request, or None when it has to sign in first."""
    if user is not None and user.is_authenticated and user.is_active:
        name = user.get_username()
        return Principal(kind="user", name=name, account=name)
    if settings.CONFIG.is_open:
        return ANYBODY
    return None


def check_may_chat(user: User | None) -> None:
    """Raise PermissionDenied for an account without the right to chat; queries the database."""
    if isinstance(user, AbstractUser) and not user.has_perm("inference.ask_servedmodel"):
        raise PermissionDenied(
            f"The account {user.get_username()} has no permission to chat. An owner of this server can give "
            "it the role “may chat”."
        )


async def acheck_may_chat(user: User | None) -> None:
    """The same from the event loop."""
    if isinstance(user, AbstractUser):
        await in_database(lambda: check_may_chat(user))


def may_look(user: Account) -> bool:
    """Whether this is staff that may view models and requests; may query the database.

    The permission to act includes the permission to look.
    """
    return may_act(user) or (user.is_active and user.is_staff and user.has_perm("inference.view_servedmodel"))


def may_manage(user: User | None) -> bool:
    """Whether a browser's requests may load and unload models, as /api decides; may query the database."""
    if settings.CONFIG.is_open:
        return True
    return isinstance(user, AbstractUser) and user.is_active and user.has_perm("inference.run_servedmodel")


def may_act(user: Account) -> bool:
    """Whether this is staff that may load and unload models and stop requests."""
    return user.is_active and user.is_staff and user.has_perm("inference.run_servedmodel")


def may_give(user: Account, scope: Scope) -> bool:
    """Whether this account may give a key the scope: nobody gives what they may not do themselves."""
    rights = _RIGHTS_OF_SCOPES.get(scope)
    return rights is None or any(user.has_perm(f"inference.{right}") for right in rights)
