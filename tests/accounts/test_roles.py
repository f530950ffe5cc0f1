"""Roles: what each sets, what each is recognised by, and the last owner, who stays one."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from inference.accounts.roles import LastOwner, Role, give, is_last_owner, role_of
from inference.models.usage_limits import GroupLimits

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("olivia")


@pytest.mark.parametrize("role", [Role.CHAT, Role.MANAGE, Role.OWNER])
@pytest.mark.parametrize("before", [Role.CHAT, Role.MANAGE, Role.OWNER, Role.CUSTOM])
def test_a_role_that_was_given_is_recognised_whatever_was_before(
    owner: User, before: Role, role: Role
) -> None:
    ann = User.objects.create_user("ann")
    if before == Role.CUSTOM:
        ann.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    else:
        give(ann, before)
    assert role_of(User.objects.get(pk=ann.pk)) == before
    give(ann, role)
    ann = User.objects.get(pk=ann.pk)
    assert role_of(ann) == role
    assert ann.has_perm("inference.ask_servedmodel")
    assert (ann.is_staff, ann.is_superuser) == (role != Role.CHAT, role == Role.OWNER)
    assert ann.has_perm("inference.run_servedmodel") == (role != Role.CHAT)
    assert ann.has_perm("auth.change_user") == (role == Role.OWNER)


def test_a_new_account_may_chat_and_one_without_groups_has_no_name_for_it() -> None:
    ann = User.objects.create_user("ann")
    assert role_of(ann) == Role.CHAT
    ann.groups.clear()
    assert role_of(ann) == Role.CUSTOM


def test_groups_that_have_only_limits_do_not_count_and_stay(owner: User) -> None:
    team = Group.objects.create(name="team")
    GroupLimits.objects.create(group=team, requests_per_minute=3)
    ann = User.objects.create_user("ann")
    ann.groups.add(team)
    assert role_of(ann) == Role.CHAT
    give(ann, Role.MANAGE)
    assert set(ann.groups.values_list("name", flat=True)) == {"member", "staff", "team"}


def test_the_last_active_owner_stays_one(owner: User) -> None:
    User.objects.create_superuser("away", is_active=False)
    assert is_last_owner(owner)
    with pytest.raises(LastOwner, match="olivia is the last owner") as refused:
        give(owner, Role.CHAT)
    assert refused.value.name == "olivia"
    assert role_of(User.objects.get(pk=owner.pk)) == Role.OWNER
    User.objects.create_superuser("paula")
    give(owner, Role.CHAT)
    assert role_of(User.objects.get(pk=owner.pk)) == Role.CHAT
