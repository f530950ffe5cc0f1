"""What of a provider's claims is trusted."""

from typing import Any

import pytest

from inference.accounts.openid.errors import SignInRefused
from inference.accounts.openid.person import person_of
from tests.each import each

ISSUER = "https://id.example"
TOKEN: dict[str, Any] = {"iss": ISSUER, "sub": "ann-1"}
ADDRESS = {"email": "ann@team.example"}


@each(
    ("token", "userinfo", "email"),
    [
        (ADDRESS | {"email_verified": True}, {}, "ann@team.example"),
        (ADDRESS | {"email_verified": "true"}, {}, "ann@team.example"),
        (ADDRESS, {}, ""),
        (ADDRESS | {"email_verified": "false"}, {}, ""),
        (ADDRESS | {"email_verified": 1.0}, {}, ""),
        ({}, ADDRESS | {"email_verified": True}, "ann@team.example"),
        # One place says that an address is verified, another one which: that is no verified address.
        (ADDRESS, {"email": "x@evil.example", "email_verified": True}, "x@evil.example"),
        (ADDRESS, {"email_verified": True}, ""),
        ({"email": "a@b@team.example", "email_verified": True}, {}, ""),
        ({"email": ["ann@team.example"], "email_verified": True}, {}, ""),
    ],
)
def test_an_address_counts_where_the_same_place_calls_it_verified(
    token: dict[str, Any], userinfo: dict[str, Any], email: str
) -> None:
    userinfo = userinfo and userinfo | {"sub": "ann-1"}
    assert person_of(TOKEN | token, userinfo, "groups").email == email


@each(
    ("claims", "name", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"groups": ["a", 1, None, {"b": 1}]}, "groups", {"a"}),
        ({"groups": {"a": True}}, "groups", set()),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://team.example/groups": ["a"]}, "https://team.example/groups", {"a"}),
        ({"realm_access": ["a"]}, "realm_access.roles", set()),
        ({}, "groups", set()),
    ],
)
def test_groups_are_found_in_their_claim(claims: dict[str, Any], name: str, groups: set[str]) -> None:
    assert person_of(TOKEN | claims, {}, name).groups == groups
    assert person_of(TOKEN, claims and claims | {"sub": "ann-1"}, name).groups == groups


@pytest.mark.parametrize("userinfo", [{"sub": "beth-2"}, {"email": "ann@team.example"}])
def test_userinfo_of_somebody_else_is_refused(userinfo: dict[str, str]) -> None:
    with pytest.raises(SignInRefused, match="another person"):
        person_of(TOKEN, userinfo, "groups")


@each("subject", ["", "x" * 256, 1])
def test_a_subject_is_text_of_some_length(subject: Any) -> None:
    with pytest.raises(SignInRefused, match="no usable subject"):
        person_of(TOKEN | {"sub": subject}, {}, "groups")
