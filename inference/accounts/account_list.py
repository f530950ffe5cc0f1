"""Accounts and their roles, as /api lists and sets them."""

import logging
from datetime import datetime

from django.contrib.auth.models import AbstractUser, User
from msgspec import Struct

from inference.accounts import audit_log
from inference.accounts.roles import LABELS, LastOwner, Role, give, role_of
from inference.core.errors import InvalidValue, NotFound

logger = logging.getLogger(__name__)


class ListedAccount(Struct, frozen=True, kw_only=True):
    """An account; times are UTC."""

    name: str
    role: Role
    is_active: bool
    last_sign_in: datetime | None

    @classmethod
    def of(cls, user: User) -> "ListedAccount":
        return cls(
            name=user.get_username(),
            role=role_of(user),
            is_active=user.is_active,
            last_sign_in=user.last_login,
        )


def listed() -> list[ListedAccount]:
    """Every account, by name."""
    users = User.objects.prefetch_related("groups__permissions", "user_permissions").order_by("username")
    return [ListedAccount.of(user) for user in users]


def set_role(name: str, role: Role, giver: AbstractUser | None) -> ListedAccount:
    """Give an account a role; `giver` is an owner, or None for the operator.

    Raises NotFound, or InvalidValue for the last owner.
    """
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f"There is no account {name[:150]!r}.", param="name")
    before = role_of(user)
    if role == before:
        return ListedAccount.of(user)
    try:
        give(user, role)
    except LastOwner as error:
        raise InvalidValue(str(error), param="role") from None
    text = f"Role: {LABELS[role]}, before: {LABELS[before]}."
    logger.info("%r: %s %s", giver.get_username() if giver else "The operator", user.get_username(), text)
    if giver:
        audit_log.write(giver, User, user.get_username(), text, user)
    return ListedAccount.of(user)
