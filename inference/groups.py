"""The two groups a site begins with, as Django's own: members chat, staff look after the models."""

from typing import Any

from django.contrib.auth.models import AbstractUser, Group, Permission, User

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
    """Let whoever becomes staff into the admin: without Django's flag their rights would open no page."""
    if action != "post_add" or not pk_set:
        return
    users, groups = (pk_set, {instance.pk}) if reverse else ({instance.pk}, pk_set)
    if Group.objects.filter(pk__in=groups, name=STAFF).exists():
        User.objects.filter(pk__in=users).update(is_staff=True)
