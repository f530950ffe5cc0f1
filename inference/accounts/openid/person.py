"""A person as the provider describes them: what of its claims is trusted."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from inference.accounts.openid.errors import SignInRefused

_MOST, _MOST_OF_A_SUBJECT = 254, 255
Claims = Mapping[str, Any]


class Person(Struct, frozen=True, kw_only=True):
    """Issuer and subject are who it is; all else may change, and may be somebody else's next year."""

    issuer: str
    subject: str
    email: str = ""  # verified by the provider
    name: str = ""  # preferred by the person: free to choose
    groups: frozenset[str] = frozenset()

    @property
    def email_domain(self) -> str:
        return self.email.rpartition("@")[2].lower()


def person_of(id_token: Claims, userinfo: Claims, groups_claim: str) -> Person:
    """The person of a verified ID token and the answer of the UserInfo endpoint; raises SignInRefused."""
    subject = id_token["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_OF_A_SUBJECT:
        raise SignInRefused("the ID token has no usable subject")
    if userinfo and userinfo.get("sub") != subject:
        raise SignInRefused("the UserInfo endpoint described another person")
    sources = (id_token, userinfo)
    return Person(
        issuer=id_token["iss"],
        subject=subject,
        email=next(filter(None, map(_verified_email, sources)), ""),
        name=next(filter(None, (_text(one.get("preferred_username")) for one in sources)), ""),
        groups=frozenset().union(*(_groups(one, groups_claim) for one in sources)),
    )


def _verified_email(claims: Claims) -> str:
    email = _text(claims.get("email"))
    verified = claims.get("email_verified")
    is_verified = verified is True or verified == "true"  # some providers write it as text
    return email if is_verified and email.count("@") == 1 else ""


def _groups(claims: Claims, name: str) -> frozenset[str]:
    """The groups in a claim of this name, or in one inside others where the name has dots."""
    found = claims.get(name)
    if found is None:
        found = claims
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found
    return frozenset(filter(None, map(_text, listed))) if isinstance(listed, list) else frozenset()


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MOST else ""
