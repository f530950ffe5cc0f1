"""Accounts and their roles, as /api and `manage.py role` list and set them, and the admin records them."""

from datetime import datetime

from django.contrib.auth.models import AbstractUser, User
from msgspec import Struct

from inference.accounts import audit_log
from inference.accounts.roles import LABELS, LastOwner, Role, give, is_last_owner, role_of
from inference.core.errors import InvalidValue, NotFound, PermissionDenied


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


def of(name: str) -> ListedAccount:
    """The account of this name; raises NotFound."""
    return ListedAccount.of(_named(name))


def set_role(name: str, role: Role, giver: AbstractUser | None) -> ListedAccount:
    """Give an account a role; `giver` is an owner, or None for the operator.

    Raises NotFound, or InvalidValue for the last owner.
    """
    user = _named(name)
    before = role_of(user)
    if role == before:
        return ListedAccount.of(user)
    try:
        give(user, role)
    except LastOwner as error:
        raise InvalidValue(str(error), param="role") from None
    record_role(user, before, giver)
    return ListedAccount.of(user)


def set_active(name: str, is_active: bool, giver: AbstractUser | None) -> ListedAccount:
    """Enable or disable an account; `giver` may change accounts, or is None for the operator.

    Raises NotFound, PermissionDenied for the account of an owner, or InvalidValue for the last owner.
    """
    user = _named(name)
    if giver and user.is_superuser and not giver.is_superuser:
        raise PermissionDenied("Only an owner can change the account of an owner.")
    if user.is_active == is_active:
        return ListedAccount.of(user)
    if not is_active and is_last_owner(user):
        raise InvalidValue(str(LastOwner(name)), param="is_active")
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    audit_log.record(giver, user, user, "Enabled." if is_active else "Disabled.")
    return ListedAccount.of(user)


def record_role(user: User, before: Role, giver: AbstractUser | None) -> None:
    """Note that `giver`, or the operator, gave an account another role than it had before."""
    role = role_of(user)
    if role != before:
        text = f"Role: {LABELS[role]}, before: {LABELS[before]}."
        audit_log.record(giver, user, user, text)


def _named(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f"There is no account {name[:150]!r}.", param="name")
    return user
