"""Cancellation of requests in progress whose key was revoked or whose account was disabled."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from inference.accounts.account_limits import ACCOUNTS
from inference.accounts.key_ring import RING
from inference.core.errors import AuthenticationFailed, PermissionDenied, ServerError
from inference.fronts.front import tell_others
from inference.fronts.handlers import HANDLERS
from inference.models.api_key import ApiKey
from inference.serving.active_requests import STREAMS
from inference.storage.database_threads import beside

ACCESS_CHANGED, ACCOUNT_DELETED = "access_changed", "account_deleted"  # what fronts tell each other


def enforce() -> None:
    """Cancel each request whose key was revoked or deleted, or whose account was disabled."""
    # Only callers with requests in progress are queried: mostly there is no query at all.
    _cancel("key", _key_errors(_callers("key")))
    _cancel("user", _user_errors(_callers("user")))


def on_change(**signal: Any) -> None:
    """Enforce a change that was saved in this process once it is committed, at all fronts."""
    transaction.on_commit(enforce, robust=True)
    transaction.on_commit(lambda: tell_others(ACCESS_CHANGED), robust=True)


def on_delete(instance: AbstractBaseUser, **signal: Any) -> None:
    """Cancel the requests of a deleted account once that is committed."""
    name = instance.get_username()
    transaction.on_commit(lambda: _cancel_deleted(name), robust=True)
    transaction.on_commit(lambda: tell_others(ACCOUNT_DELETED, {"name": name}), robust=True)


def listen() -> None:
    """Enforce what other fronts have saved; the database is read beside the event loop."""
    HANDLERS.on(ACCESS_CHANGED, lambda body: _enforce_soon())
    HANDLERS.on(ACCOUNT_DELETED, lambda body: _cancel_deleted(body["name"]))
    HANDLERS.on_regained.append(_look_again)


async def _look_again() -> None:
    _enforce_soon()


def _enforce_soon() -> None:
    for forget in (RING.forget, ACCOUNTS.forget):
        forget()
    beside(enforce)  # after a failure, maintenance enforces again within half a minute


def _cancel_deleted(name: str) -> None:
    reason = PermissionDenied(f"The account {name} was deleted, and its requests in progress were cancelled.")
    _cancel("user", {name: reason})


def _cancel(kind: str, reasons: Mapping[str, ServerError]) -> None:
    for stream in STREAMS.snapshot():
        if stream.principal_kind == kind and stream.principal in reasons:
            STREAMS.cancel(stream.id, reasons[stream.principal])


def _callers(kind: str) -> set[str]:
    """The callers with requests in progress; the operator's own key has no name."""
    streams = STREAMS.snapshot()
    return {stream.principal for stream in streams if stream.principal and stream.principal_kind == kind}


def _key_errors(prefixes: set[str]) -> dict[str, ServerError]:
    """The errors of those keys that may not be used any more.

    Requests in progress may finish after their key has expired.
    """
    if not prefixes:
        return {}
    known = {key.prefix: key for key in ApiKey.objects.filter(prefix__in=prefixes).select_related("owner")}
    problems = {prefix: _key_problem(known.get(prefix)) for prefix in prefixes}
    return {prefix: AuthenticationFailed(text) for prefix, text in problems.items() if text}


def _key_problem(key: ApiKey | None) -> str:
    if key is None:
        return "This API key was deleted, and its requests in progress were cancelled; ask for a new one."
    if key.is_revoked:
        return "This API key was revoked, and its requests in progress were cancelled; ask for a new one."
    if not key.owner.is_active:
        return "The account of this API key was disabled, and its requests in progress were cancelled."
    return ""


def _user_errors(names: set[str]) -> dict[str, ServerError]:
    if not names:
        return {}
    disabled = get_user_model().objects.filter(username__in=names, is_active=False)
    text = "The account {} was disabled, and its requests in progress were cancelled."
    return {name: PermissionDenied(text.format(name)) for name in disabled.values_list("username", flat=True)}
