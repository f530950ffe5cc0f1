"""The two groups of a new site, as Django's own groups: members chat, staff operate the models."""

from typing import Any

from django.contrib.auth.models import AbstractUser, Group, Permission, User
from django.db.models import Q

MEMBER, STAFF = "member", "staff"
RIGHTS: dict[str, tuple[str, ...]] = {
    MEMBER: ("ask_servedmodel",),
    STAFF: (
        *("ask_servedmodel", "view_servedmodel", "run_servedmodel", "remove_servedmodel"),
        *("view_download", "add_download", "view_poolevent", "view_requestrecord"),
    ),
}


def create_groups(**_: Any) -> None:
    """Create missing groups after `migrate`; existing ones stay as operators left them."""
    for name, rights in RIGHTS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            ours = Permission.objects.filter(content_type__app_label="inference")
            group.permissions.set(ours.filter(codename__in=rights))


def add_to_members(instance: AbstractUser, created: bool, raw: bool = False, **_: Any) -> None:
    """Make a new account a member; `raw` accounts come from `loaddata` with groups of their own."""
    if created and not raw:
        instance.groups.add(*Group.objects.filter(name=MEMBER))


def sync_staff(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """Set Django's `is_staff` for accounts that join the staff group, and unset it for those that leave."""
    if action == "pre_clear":
        pk_set = set((instance.user_set if reverse else instance.groups).values_list("pk", flat=True))
    if action not in {"post_add", "post_remove", "pre_clear"} or not pk_set:
        return
    users, groups = (pk_set, {instance.pk}) if reverse else ({instance.pk}, pk_set)
    if not Group.objects.filter(pk__in=groups, name=STAFF).exists():
        return
    if action == "post_add":
        User.objects.filter(pk__in=users).update(is_staff=True)
    else:
        _remove_staff(users, groups)
    if not reverse:
        instance.refresh_from_db(fields=["is_staff"])  # or saving it once more would undo this


def on_group_delete(instance: Group, **_: Any) -> None:
    """Unset `is_staff` for the members of a staff group that is about to be deleted."""
    if instance.name == STAFF:
        _remove_staff(set(instance.user_set.values_list("pk", flat=True)), {instance.pk})


def _remove_staff(users: set[int], groups: set[int]) -> None:
    """Unset `is_staff` for accounts that have no other permission for the admin without these groups."""
    for user in User.objects.filter(pk__in=users, is_superuser=False):
        others = user.groups.exclude(pk__in=groups)
        rights = Permission.objects.filter(Q(user=user) | Q(group__in=others))
        if not rights.exclude(codename__in=RIGHTS[MEMBER]).exists():
            User.objects.filter(pk=user.pk).update(is_staff=False)
