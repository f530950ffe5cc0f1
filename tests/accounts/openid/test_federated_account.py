"""The account of a provider's person: made once, found by issuer and subject alone."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User

from inference.accounts import roles
from inference.accounts.openid.errors import NotAdmitted
from inference.accounts.openid.federated_account import account_of
from inference.accounts.openid.person import Person
from inference.accounts.roles import Role
from inference.core.config import Config
from inference.models.federated_identity import FederatedIdentity

pytestmark = pytest.mark.django_db
GIVEN: dict[str, Any] = {
    "oidc_issuer": "https://id.example",
    "oidc_client_id": "site",
    "oidc_client_secret": "s3cret",
}
OPEN = Config(**GIVEN, oidc_sign_up="anybody")
BY_GROUPS = Config(**GIVEN, oidc_roles="users=chat,ops=manage,bosses=owner")


def ann(**facts: Any) -> Person:
    return Person(**({"issuer": "https://id.example", "subject": "ann-1", "name": "ann"} | facts))


def test_it_is_made_once_whatever_else_changes() -> None:
    first = account_of(ann(email="ann@team.example"), OPEN)
    assert account_of(ann(name="anna", email="anna@team.example"), OPEN) == first
    assert (User.objects.get().username, roles.role_of(first)) == ("ann", Role.CHAT)


@pytest.mark.parametrize(
    "other", [{"subject": "ann-2"}, {"issuer": "https://other.example"}, {"subject": "ANN-1"}]
)
def test_another_issuer_or_subject_is_another_person(other: dict[str, str]) -> None:
    first = account_of(ann(email="ann@team.example"), OPEN)
    second = account_of(ann(**{"email": "ann@team.example"} | other), OPEN)
    assert first != second and second.username == "ann-2"


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "ann"),
        ({"name": "Ann Lee / Team"}, "Ann-Lee-Team"),
        ({"name": "ａｎｎ"}, "ann"),
        ({"name": "", "email": "lee@team.example"}, "lee"),
        ({"name": "<>", "email": ""}, "person"),
        ({"name": "ADMIN"}, "ADMIN-3"),
        ({"name": "x" * 200}, "x" * 100),
    ],
)
def test_its_name_is_free_and_can_be_typed(facts: dict[str, str], name: str) -> None:
    for taken in ("admin", "Admin-2"):
        User.objects.create_user(taken)
    assert account_of(ann(**facts), OPEN).username == name


def test_the_role_follows_the_groups_at_each_sign_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    User.objects.create_superuser("admin")
    for groups, role in (({"bosses"}, Role.OWNER), ({"ops"}, Role.MANAGE), ({"users"}, Role.CHAT)):
        user = account_of(ann(groups=frozenset(groups)), BY_GROUPS)
        assert roles.role_of(User.objects.get(pk=user.pk)) == role
    assert [line for line in caplog.messages if "groups" in line] == [
        "By the provider's groups, the account 'ann' is an owner now",
        "By the provider's groups, the account 'ann' may manage now",
        "By the provider's groups, the account 'ann' may chat now",
    ]
    with pytest.raises(NotAdmitted):
        account_of(ann(), BY_GROUPS)


def test_the_last_owner_stays_one(caplog: pytest.LogCaptureFixture) -> None:
    account_of(ann(groups=frozenset({"bosses"})), BY_GROUPS)
    user = account_of(ann(groups=frozenset({"users"})), BY_GROUPS)
    assert User.objects.get(pk=user.pk).is_superuser and "last owner" in caplog.text


def test_without_groups_the_role_is_that_of_this_site() -> None:
    user = account_of(ann(), OPEN)
    roles.give(user, Role.OWNER)
    assert roles.role_of(account_of(ann(groups=frozenset({"users"})), OPEN)) == Role.OWNER


def test_an_account_that_is_not_active_stays_shut() -> None:
    user = account_of(ann(), OPEN)
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(NotAdmitted, match="'ann' is not active"):
        account_of(ann(), OPEN)


def test_an_owner_may_bind_an_account_that_is_there() -> None:
    beth = User.objects.create_superuser("beth")
    FederatedIdentity.objects.create(user=beth, issuer="https://id.example", subject="ann-1")
    assert account_of(ann(), Config(**GIVEN, oidc_sign_up="nobody")) == beth
