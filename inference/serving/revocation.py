"""Ending the answers under way of keys and accounts that may have none any more."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from inference.core.errors import AuthenticationFailed, PermissionDenied, ServerError
from inference.models.api_key import ApiKey
from inference.serving.active_requests import STREAMS


def look() -> None:
    """End each answer whose key was revoked or deleted, or whose account was disabled."""
    # The database is asked of those alone that have something under way: mostly it is not asked at all.
    _dismiss("key", _of_keys(_named("key")))
    _dismiss("user", _of_users(_named("user")))


def feel(**signal: Any) -> None:
    """Have what was saved in this process felt once it is committed."""
    transaction.on_commit(look, robust=True)


def part(instance: AbstractBaseUser, **signal: Any) -> None:
    """Have an account that is deleted end what it has under way."""
    name = instance.get_username()
    told = PermissionDenied(f"The account {name} was deleted, and what it had under way was ended.")
    transaction.on_commit(lambda: _dismiss("user", {name: told}), robust=True)


def _dismiss(kind: str, reasons: Mapping[str, ServerError]) -> None:
    for stream in STREAMS.snapshot():
        if stream.principal_kind == kind and stream.principal in reasons:
            STREAMS.dismiss(stream.id, reasons[stream.principal])


def _named(kind: str) -> set[str]:
    """Who has something under way; the operator's own key has no name."""
    streams = STREAMS.snapshot()
    return {stream.principal for stream in streams if stream.principal and stream.principal_kind == kind}


def _of_keys(prefixes: set[str]) -> dict[str, ServerError]:
    """Why each of these may have no answers, where it may not; one that has expired may end what it began."""
    if not prefixes:
        return {}
    known = {key.prefix: key for key in ApiKey.objects.filter(prefix__in=prefixes).select_related("owner")}
    told = {prefix: _problem_of_key(known.get(prefix)) for prefix in prefixes}
    return {prefix: AuthenticationFailed(words) for prefix, words in told.items() if words}


def _problem_of_key(key: ApiKey | None) -> str:
    if key is None:
        return "This API key was deleted, and with it what it had under way; ask for a new one."
    if key.is_revoked:
        return "This API key was revoked, and with it what it had under way; ask for a new one."
    if not key.owner.is_active:
        return "The account that this API key belongs to was disabled, and what it had under way was ended."
    return ""


def _of_users(names: set[str]) -> dict[str, ServerError]:
    if not names:
        return {}
    disabled = get_user_model().objects.filter(username__in=names, is_active=False)
    words = "The account {} was disabled, and what it had under way was ended."
    return {
        name: PermissionDenied(words.format(name)) for name in disabled.values_list("username", flat=True)
    }
