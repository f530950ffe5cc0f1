"""Answers of a provider that prove nothing, and what the throttle makes of them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User

from inference.models.sign_in import SignInAttempts
from tests.openid_provider import EC_KEY, OTHER_KEY, SECRET, OpenIDProvider, public_pem
from tests.playground.openid_visit import (
    HERE,
    back_from,
    browser,
    is_signed_in,
    query_of,
    sent_to_provider,
    sign_in,
    site_of,
)

pytestmark = pytest.mark.django_db


def by_other_means(algorithm: str, key: Any, **header: str) -> Callable[[dict[str, Any]], str]:
    return lambda claims: jwt.encode(claims, key, algorithm, headers=header)


def by_hand_with_hs256(claims: dict[str, Any]) -> str:
    """PyJWT refuses to make such a token."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    header = json.dumps({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).encode()
    text = f"{part(header)}.{part(json.dumps(claims).encode())}"
    return f"{text}.{part(hmac.new(public_pem(), text.encode(), hashlib.sha256).digest())}"


NOW = int(time.time())
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "wrong nonce": ({"changes": {"nonce": "n" * 32}}, "Nonce"),
    "no nonce": ({"changes": {"nonce": None}}, "nonce"),
    "wrong aud": ({"changes": {"aud": "another-client"}}, "Audience"),
    "no aud": ({"changes": {"aud": None}}, "aud"),
    "several aud": ({"changes": {"aud": ["the-site", "another-client"]}}, "another client"),
    "wrong azp": ({"changes": {"azp": "another-client"}}, "another client"),
    "wrong iss": ({"changes": {"iss": "https://evil.example"}}, "issuer"),
    "expired": ({"changes": {"iat": NOW - 900, "exp": NOW - 600}}, "expired"),
    "no end": ({"changes": {"exp": None}}, "exp"),
    "not yet": ({"changes": {"iat": NOW + 3600, "exp": NOW + 7200}}, "not yet valid"),
    "no subject": ({"changes": {"sub": None}}, "sub"),
    "alg none": ({"sign": by_other_means("none", None, kid="rsa")}, "'none'"),
    "HS256 with the public key": ({"sign": by_hand_with_hs256}, "'HS256'"),
    "HS256 with the secret": ({"sign": by_other_means("HS256", SECRET)}, "'HS256'"),
    "another key": ({"sign": by_other_means("RS256", OTHER_KEY, kid="rsa")}, "Signature"),
    "unknown key": ({"sign": by_other_means("RS256", OTHER_KEY, kid="x")}, "0 may have signed"),
    "keys of two kinds": ({"sign": by_other_means("ES256", EC_KEY, kid="rsa")}, "0 may have signed"),
    "no token": ({"sign": lambda _: "nonsense"}, "is malformed"),
    "UserInfo of another": ({"userinfo": {"sub": "beth-2"}}, "another person"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_signs_nobody_in(provider: OpenIDProvider, caplog: pytest.LogCaptureFixture, lie: str) -> None:
    facts, reason = LIES[lie]
    for name, value in facts.items():
        setattr(provider, name, value)
    with site_of(provider):
        client = browser()
        response = sign_in(client)
    assert response.status_code == 403 and "Signing in with Team failed" in response.content.decode()
    assert not is_signed_in(client) and not User.objects.exists() and "oidc_id_token" not in client.session
    (line,) = [line for line in caplog.messages if "was refused" in line]
    assert line.startswith(f"A sign-in by OpenID Connect from {HERE} was refused: ") and reason in line
    assert SignInAttempts.objects.get().failures == 1


def test_a_key_of_elliptic_curves_signs_as_well(provider: OpenIDProvider) -> None:
    provider.sign = by_other_means("ES256", EC_KEY, kid="ec")
    with site_of(provider):
        assert sign_in(client := browser()).status_code == 302
        assert is_signed_in(client)


def test_no_redirect_of_the_provider_is_followed(provider: OpenIDProvider) -> None:
    with OpenIDProvider() as elsewhere, site_of(provider):
        for path in ("/token", "/keys", "/userinfo"):
            there = {"Location": f"{elsewhere.issuer}{path}"}
            provider.answers = {path: (307, there, b"")}
            assert sign_in(client := browser()).status_code == 503 and not is_signed_in(client)
        assert elsewhere.requests == []


def test_a_failure_of_the_provider_is_not_counted_as_the_persons(provider: OpenIDProvider) -> None:
    with site_of(provider):
        provider.answers = {"/token": (500, {}, b"")}
        assert sign_in(browser()).status_code == 503
    assert not SignInAttempts.objects.exists()


def test_refused_sign_ins_are_throttled_as_those_with_passwords(provider: OpenIDProvider) -> None:
    with site_of(provider):
        statuses = [browser().get("/login/openid/callback/?state=x").status_code for _ in range(6)]
        assert statuses == [403] * 5 + [429]
        assert sign_in(browser()).status_code == 302  # that was somebody else, as far as anybody knows
        provider.changes = {"aud": "another-client"}
        refused = [sign_in(browser()) for _ in range(16)]
        assert [one.status_code for one in refused] == [403] * 15 + [429]
        assert "Too many attempts" in refused[-1].content.decode() and int(refused[-1]["Retry-After"]) > 0


def test_a_code_that_was_exchanged_before_is_refused(
    provider: OpenIDProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with site_of(provider):
        used = query_of(back_from(sent_to_provider(one := browser())))
        one.get("/login/openid/callback/", used)
        client = browser()
        fresh = query_of(sent_to_provider(client))
        again = client.get("/login/openid/callback/", {"code": used["code"], "state": fresh["state"]})
    assert again.status_code == 403 and not is_signed_in(client)
    assert "has exchanged it before" in caplog.text
