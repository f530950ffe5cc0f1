"""The role on an account's page: who may choose it, what it sets, and what stays as it is."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from inference.accounts.roles import Role, role_of
from tests.people import client_of

pytestmark = pytest.mark.django_db
LIMITS = {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}


def save(client: Client, user: User, **fields: Any) -> str:
    """Save the page of an account as it is, with other values in these fields; the page that follows."""
    groups = [str(pk) for pk in user.groups.values_list("pk", flat=True)]
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    form = {"username": user.username, "groups": groups, **flags, **LIMITS} | fields
    return client.post(f"/admin/auth/user/{user.pk}/change/", form, follow=True).content.decode()


def now(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_the_menu_sets_groups_and_flags_and_the_log_says_so(staff: Client) -> None:
    ann = User.objects.create_user("ann")
    for role, label in ((Role.MANAGE, "may manage"), (Role.OWNER, "owner"), (Role.CHAT, "may chat")):
        save(staff, now(ann), role=role.value)
        assert role_of(now(ann)) == role
        assert f">{label}</td>" in staff.get("/admin/auth/user/").content.decode()
    log = [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=str(ann.pk))]
    assert "Role: may manage, before: may chat." in log and "Role: may chat, before: owner." in log


def test_rights_one_by_one_are_custom_and_stay_when_the_role_stays(staff: Client) -> None:
    ann = User.objects.create_user("ann")
    auditors = Group.objects.create(name="auditors")
    auditors.permissions.set(Group.objects.get(name="staff").permissions.all()[:1])
    save(staff, ann, role="chat", groups=[str(auditors.pk)])
    assert role_of(now(ann)) == Role.CUSTOM
    assert "custom" in staff.get(f"/admin/auth/user/{ann.pk}/change/").content.decode()
    save(staff, now(ann), role="custom", first_name="Ann")
    assert list(now(ann).groups.all()) == [auditors]
    assert now(ann).first_name == "Ann"


@pytest.mark.parametrize(
    "fields", [{"role": "chat"}, {"is_active": ""}, {"role": "owner", "is_superuser": ""}]
)
def test_the_last_owner_keeps_the_role(staff: Client, fields: dict[str, str]) -> None:
    owner = User.objects.get(username="admin")
    assert "is the last owner of this site" in save(staff, owner, **fields)
    assert (now(owner).is_superuser, now(owner).is_active) == (True, True)
    assert staff.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    staff.post("/admin/auth/user/", chosen)
    assert User.objects.filter(pk=owner.pk).exists()


def test_an_owner_gives_the_role_up_once_there_is_another(staff: Client) -> None:
    User.objects.create_superuser("paula")
    owner = User.objects.get(username="admin")
    save(staff, owner, role="chat")
    assert role_of(now(owner)) == Role.CHAT


def test_who_may_change_accounts_and_is_no_owner_raises_nobody(staff: Client) -> None:
    helper = client_of("helper", "change_user", "view_user", "add_user")
    me, ann = User.objects.get(username="helper"), User.objects.create_user("ann")
    for user in (me, ann):
        save(helper, user, role="owner", is_superuser="on", is_staff="on", first_name="X")
        assert (now(user).is_superuser, now(user).first_name) == (False, "X")
    assert role_of(now(ann)) == Role.CHAT
    owner = User.objects.get(username="admin")
    assert helper.post(f"/admin/auth/user/{owner.pk}/password/", {}).status_code == 403
    page = helper.get(f"/admin/auth/user/{ann.pk}/change/").content.decode()
    assert "may chat (an owner can change it)" in page and 'name="role"' not in page
    assert 'name="role"' not in helper.get("/admin/auth/user/add/").content.decode()


def test_who_may_change_groups_and_is_no_owner_gives_their_group_no_permissions() -> None:
    helper = client_of("helper", "change_group", "view_group")
    member = Group.objects.get(name="member")
    before = set(member.permissions.all())
    form = {"name": "member", "permissions": [str(pk) for pk in range(1, 20)], **LIMITS}
    assert helper.post(f"/admin/auth/group/{member.pk}/change/", form).status_code == 302
    assert set(member.permissions.all()) == before


def test_a_new_account_has_the_role_that_was_chosen_with_it(staff: Client) -> None:
    secret = {"password1": "correct horse battery", "password2": "correct horse battery"}
    for name, role in (("ann", Role.CHAT), ("mia", Role.MANAGE)):
        form = {"username": name, "usable_password": "true", "role": role.value, **secret}
        staff.post("/admin/auth/user/add/", form)
        assert role_of(User.objects.get(username=name)) == role
