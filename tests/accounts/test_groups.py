import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client, override_settings

from inference.accounts import groups
from inference.core.config import Config
from tests.fakes import serving
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def rights_of(name: str) -> set[str]:
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


@pytest.mark.parametrize("name", groups.RIGHTS)
def test_a_site_begins_with_its_groups(name: str) -> None:
    assert rights_of(name) == set(groups.RIGHTS[name])


def test_what_an_operator_made_of_a_group_stays() -> None:
    Group.objects.get(name=groups.STAFF).permissions.clear()
    groups.create_groups()
    assert rights_of(groups.STAFF) == set()


def test_a_new_account_is_a_member_that_may_chat_and_no_more() -> None:
    ann = User.objects.create_user("ann")
    assert ann.get_all_permissions() == {"inference.ask_servedmodel"} and not ann.is_staff


def test_an_account_that_was_taken_out_stays_out() -> None:
    ann = User.objects.create_user("ann")
    ann.groups.clear()
    ann.save()
    assert not User.objects.get(pk=ann.pk).has_perm("inference.ask_servedmodel")


def test_a_new_member_of_the_staff_may_enter_the_admin_and_look_after_models() -> None:
    ann, bob = User.objects.create_user("ann"), User.objects.create_user("bob")
    staff = Group.objects.get(name=groups.STAFF)
    ann.groups.add(staff)
    staff.user_set.add(bob)
    for person in (ann, bob):
        client = Client()
        client.force_login(User.objects.get(pk=person.pk))
        with serving():
            assert client.get("/admin/").status_code == 200
            assert client.get("/admin/inference/servedmodel/").status_code == 200
            assert client.get("/admin/auth/user/").status_code == 403


PAGES = {
    *("servedmodel", "download", "poolevent", "quantisation", "requestrecord"),
    *("usagehour", "healthcheck"),
}


def pages_of(person: User) -> set[str]:
    """The lists that the admin's first page leads to."""
    with serving():
        page = signed_in(User.objects.get(pk=person.pk)).get("/admin/").content.decode()
    return set(re.findall(r'href="/admin/(?:inference|auth)/(\w+)/"', page))


def test_the_staff_sees_its_pages_and_no_others() -> None:
    ann = User.objects.create_user("ann")
    ann.groups.add(Group.objects.get(name=groups.STAFF))
    assert pages_of(ann) == PAGES
    with serving():
        client = signed_in(User.objects.get(pk=ann.pk))
        for page in PAGES:
            assert client.get(f"/admin/inference/{page}/").status_code == 200
        for page in ("inference/apikey", "inference/capture", "inference/storedresponse", "auth/group"):
            assert client.get(f"/admin/{page}/").status_code == 403


def test_saving_an_account_again_does_not_undo_its_joining_or_leaving() -> None:
    ann, staff = User.objects.create_user("ann"), Group.objects.get(name=groups.STAFF)
    ann.groups.add(staff)
    ann.save()
    assert User.objects.get(pk=ann.pk).is_staff
    ann.groups.remove(staff)
    ann.save()
    assert not User.objects.get(pk=ann.pk).is_staff


@pytest.mark.parametrize(
    "leave",
    [
        lambda ann, staff: ann.groups.remove(staff),
        lambda ann, staff: ann.groups.set([]),
        lambda ann, staff: ann.groups.clear(),
        lambda ann, staff: staff.user_set.remove(ann),
        lambda ann, staff: staff.user_set.clear(),
        lambda ann, staff: staff.delete(),
    ],
)
@pytest.mark.parametrize(
    ("facts", "right", "stays"),
    [({}, "", False), ({}, "view_apikey", True), ({"is_superuser": True}, "", True)],
)
def test_a_former_member_of_the_staff_may_enter_the_admin_only_with_another_permission(
    leave: Any, facts: dict[str, Any], right: str, stays: bool
) -> None:
    ann, staff = User.objects.create_user("ann", **facts), Group.objects.get(name=groups.STAFF)
    ann.groups.add(staff)
    ann.user_permissions.set(Permission.objects.filter(codename=right))
    leave(ann, staff)
    assert User.objects.get(pk=ann.pk).is_staff == stays


def test_a_member_of_another_group_with_permissions_may_still_enter() -> None:
    ann, auditors = User.objects.create_user("ann"), Group.objects.create(name="auditors")
    auditors.permissions.set(Permission.objects.filter(codename="view_requestrecord"))
    ann.groups.add(Group.objects.get(name=groups.STAFF), auditors)
    ann.groups.remove(Group.objects.get(name=groups.STAFF))
    assert User.objects.get(pk=ann.pk).is_staff
    ann.groups.remove(auditors)  # what an operator gave by hand is theirs to take
    assert User.objects.get(pk=ann.pk).is_staff


def test_other_groups_admit_nobody() -> None:
    ann = User.objects.create_user("ann")
    ann.groups.add(Group.objects.create(name="readers"))
    ann.refresh_from_db()
    assert not ann.is_staff


def upgrade() -> None:
    migration = import_module("inference.migrations.0010_right_to_chat")
    migration.let_those_here_chat(apps, None)


def test_users_that_could_chat_before_there_were_groups_still_can() -> None:
    Group.objects.all().delete()
    Permission.objects.filter(codename="ask_servedmodel").delete()
    User.objects.create_user("ann")
    upgrade()
    groups.create_groups()
    assert User.objects.get(username="ann").has_perm("inference.ask_servedmodel")
    assert rights_of(groups.MEMBER) == {"ask_servedmodel"}


def test_a_group_of_that_name_that_was_there_before_is_not_filled() -> None:
    User.objects.create_user("ann").groups.clear()
    upgrade()
    ann = User.objects.get(username="ann")
    assert ann.has_perm("inference.ask_servedmodel") and not ann.groups.exists()


def test_migrating_again_brings_nobody_in() -> None:
    User.objects.create_user("ann").groups.clear()
    call_command("migrate", verbosity=0)
    assert not User.objects.get(username="ann").has_perm("inference.ask_servedmodel")


@pytest.mark.django_db(transaction=True)
@override_settings(CONFIG=Config(api_key="secret"))
def test_an_account_that_may_not_chat_learns_whom_to_ask(client: Client) -> None:
    ann = User.objects.create_user("ann")
    ann.groups.clear()
    client.force_login(ann)
    with serving():
        page = client.get("/")
        assert page.status_code == 403 and "the role “may chat”" in page.content.decode()
        assert "Sign out" in page.content.decode()
        for path in ("/chat/conversations/", "/v1/models"):
            refusal = client.get(path)
            assert refusal.status_code == 403 and refusal.json()["error"]["code"] == "permission_denied"
