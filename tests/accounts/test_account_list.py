"""The list of accounts and the change of a role; who may do that is tests/api/operator/test_accounts.py."""

import pytest
from django.contrib.auth.models import User

from inference.accounts import account_list
from inference.accounts.roles import Role
from inference.core.errors import InvalidValue, NotFound

pytestmark = pytest.mark.django_db


def test_they_are_listed_by_name_with_their_roles() -> None:
    User.objects.create_superuser("zoe")
    User.objects.create_user("ann", is_active=False)
    shown = [(one.name, one.role, one.is_active) for one in account_list.listed()]
    assert shown == [("ann", Role.CHAT, False), ("zoe", Role.OWNER, True)]


def test_a_role_is_set_and_the_last_owner_keeps_theirs() -> None:
    owner = User.objects.create_superuser("zoe")
    User.objects.create_user("ann")
    assert account_list.set_role("ann", Role.MANAGE, owner).role == Role.MANAGE
    with pytest.raises(InvalidValue) as last:
        account_list.set_role("zoe", Role.CHAT, None)
    with pytest.raises(NotFound):
        account_list.set_role("nobody", Role.CHAT, None)
    assert last.value.param == "role" and User.objects.get(username="zoe").is_superuser
