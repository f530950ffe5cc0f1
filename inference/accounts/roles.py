"""The roles of accounts: short names for what Django's flags, groups and permissions say together."""

from enum import StrEnum

from django.contrib.auth.models import Group, User

from inference.accounts.groups import MEMBER, STAFF


class Role(StrEnum):
    """CUSTOM is every combination that has no name of its own; it cannot be given."""

    CHAT = "chat"
    MANAGE = "manage"
    OWNER = "owner"
    CUSTOM = "custom"


LABELS = {
    Role.CHAT: "may chat",
    Role.MANAGE: "may manage",
    Role.OWNER: "owner",
    Role.CUSTOM: "custom",
}
GIVEN = (Role.CHAT, Role.MANAGE, Role.OWNER)
_GROUPS = {Role.CHAT: (MEMBER,), Role.MANAGE: (MEMBER, STAFF), Role.OWNER: (MEMBER,)}


class LastOwner(Exception):
    """This account is the only owner that can sign in; attribute `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is the last owner of this site: make another account an owner first.")
        self.name = name


def role_of(user: User) -> Role:
    """The role of an account; groups without permissions, which may have limits, do not count."""
    if user.is_superuser:
        return Role.OWNER
    names = {group.name for group in user.groups.all() if group.permissions.all()}
    if user.user_permissions.all() or not names <= {MEMBER, STAFF}:
        return Role.CUSTOM
    if STAFF in names:
        return Role.MANAGE if user.is_staff else Role.CUSTOM
    return Role.CHAT if MEMBER in names and not user.is_staff else Role.CUSTOM


def give(user: User, role: Role) -> None:
    """Set the flags, groups and permissions of this role; groups without permissions stay.

    Raises LastOwner where nobody would be left who may do everything.
    """
    if role != Role.OWNER:
        check_not_last_owner(user)
    user.is_superuser = role == Role.OWNER
    user.is_staff = role != Role.CHAT
    user.save(update_fields=["is_superuser", "is_staff"])
    user.user_permissions.clear()
    kept = [group for group in user.groups.all() if not group.permissions.exists()]
    user.groups.set([*kept, *Group.objects.filter(name__in=_GROUPS[role])])
    # Joining and leaving the staff group sets `is_staff`, which an owner has without it.
    User.objects.filter(pk=user.pk).update(is_staff=role != Role.CHAT)
    user.refresh_from_db(fields=["is_staff"])


def check_not_last_owner(user: User) -> None:
    """Raise LastOwner if no other active account is an owner, and this one is."""
    if is_last_owner(user):
        raise LastOwner(user.get_username())


def is_last_owner(user: User) -> bool:
    """Whether this is an active owner, by the database, and there is no other."""
    owners = User.objects.filter(is_superuser=True, is_active=True)
    return owners.filter(pk=user.pk).exists() and not owners.exclude(pk=user.pk).exists()
