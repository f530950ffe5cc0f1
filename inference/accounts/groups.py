"""The two groups a site begins with, as Django's own: members chat, staff look after the models."""

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


def make(**_: Any) -> None:
    """Make the groups that are not there, after `migrate`; one that is there stays as operators left it."""
    for name, rights in RIGHTS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            ours = Permission.objects.filter(content_type__app_label="inference")
            group.permissions.set(ours.filter(codename__in=rights))


def welcome(instance: AbstractUser, created: bool, raw: bool = False, **_: Any) -> None:
    """Make a new account a member; raw is what `loaddata` brings, with groups of its own."""
    if created and not raw:
        instance.groups.add(*Group.objects.filter(name=MEMBER))


def admit(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """Let whoever becomes staff into the admin, as Django's flag says, and out whoever ceases to be."""
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
        _let_out(users, groups)
    if not reverse:
        instance.refresh_from_db(fields=["is_staff"])  # or saving it once more would undo this


def close(instance: Group, **_: Any) -> None:
    """Let out those whose group is about to be deleted."""
    if instance.name == STAFF:
        _let_out(set(instance.user_set.values_list("pk", flat=True)), {instance.pk})


def _let_out(users: set[int], groups: set[int]) -> None:
    """Take the flag from those who, without these groups, have no right that the admin is for."""
    for person in User.objects.filter(pk__in=users, is_superuser=False):
        others = person.groups.exclude(pk__in=groups)
        rights = Permission.objects.filter(Q(user=person) | Q(group__in=others))
        if not rights.exclude(codename__in=RIGHTS[MEMBER]).exists():
            User.objects.filter(pk=person.pk).update(is_staff=False)
