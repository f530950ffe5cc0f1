"""Who of a provider's people is let in, and as what."""

from typing import Any, get_args

import pytest

from inference.accounts.openid.admission import role_of
from inference.accounts.openid.errors import NotAdmitted
from inference.accounts.openid.person import Person
from inference.accounts.roles import GIVEN as ROLES_OF_ACCOUNTS
from inference.core.config import Config
from inference.core.openid_settings import MappedRole
from tests.each import each

GIVEN: dict[str, Any] = {
    "oidc_issuer": "https://id.example",
    "oidc_client_id": "site",
    "oidc_client_secret": "s3cret",
}
ROLES, DOMAIN = {"oidc_roles": "users=chat,ops=manage,bosses=owner"}, {"oidc_email_domains": "team.example"}
NOBODY, ANYBODY = {"oidc_sign_up": "nobody"}, {"oidc_sign_up": "anybody"}


def person(*groups: str, email: str = "") -> Person:
    return Person(issuer="https://id.example", subject="ann-1", email=email, groups=frozenset(groups))


TEAM = person(email="ann@Team.example")


@each(
    ("who", "facts", "has_account", "role"),
    [
        (person("users", "bosses", "ops"), ROLES, False, "owner"),
        (person("users", "ops"), ROLES, True, "manage"),
        (person("users"), ROLES, False, "chat"),
        (TEAM, ROLES | DOMAIN, False, "chat"),  # an owner who has left the group is none any more
        (TEAM, ROLES | DOMAIN, True, "chat"),
        (TEAM, DOMAIN, False, None),
        (person(), ROLES | ANYBODY, False, "chat"),
        (person(), ANYBODY, False, None),
        (person("users"), ROLES | NOBODY, True, "chat"),
        (person(), NOBODY, True, None),  # an owner of this site has bound the account
        (person(), {}, True, None),
    ],
)
def test_these_are_let_in(who: Person, facts: dict[str, Any], has_account: bool, role: str | None) -> None:
    assert role_of(who, Config(**GIVEN, **facts), has_account=has_account) == role


@each(
    ("who", "facts", "has_account"),
    [
        (person(), {}, False),
        (person("others"), ROLES, False),
        (person("others"), ROLES, True),
        (person("Users"), ROLES, False),
        (person(email="ann@other.example"), DOMAIN, True),
        (person(email="ann@sub.team.example"), DOMAIN, False),
        (person("users"), ROLES | NOBODY, False),
        (TEAM, DOMAIN | NOBODY, False),
    ],
)
def test_these_are_not(who: Person, facts: dict[str, Any], has_account: bool) -> None:
    with pytest.raises(NotAdmitted, match="'ann-1'"):
        role_of(who, Config(**GIVEN, **facts), has_account=has_account)


def test_the_settings_have_the_roles_of_accounts() -> None:
    assert set(get_args(MappedRole)) == {str(role) for role in ROLES_OF_ACCOUNTS}
