"""The discovery document of a provider: read once, and refused where it is not the provider's own."""

import json
from typing import Any

import pytest
from django.test import override_settings

from inference.accounts.openid.errors import ProviderUnavailable
from inference.accounts.openid.provider import Provider, ProviderCache, discover
from inference.core.config import Config
from tests.each import each
from tests.openid_provider import OpenIDProvider


def test_it_knows_where_to_ask() -> None:
    with OpenIDProvider() as there:
        there.discovery = {"end_session_endpoint": None}
        found = discover(there.issuer)
        assert found.authorization_endpoint == f"{there.issuer}/authorize"
        assert (found.end_session_endpoint, found.client_authentication) == ("", "basic")
        there.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        assert discover(there.issuer).client_authentication == "post"


@each(
    ("changes", "reason"),
    [
        ({"issuer": "https://evil.example"}, "MLX_SERVER_OIDC_ISSUER must be exactly that"),
        ({"token_endpoint": None}, "has no valid token_endpoint"),
        ({"token_endpoint": "http://id.example/token"}, "must begin with https://"),
        ({"jwks_uri": ["x"]}, "has no valid jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "has no valid authorization_endpoint"),
    ],
)
def test_a_document_that_cannot_be_its_own_is_refused(changes: dict[str, Any], reason: str) -> None:
    with OpenIDProvider() as there:
        there.discovery = changes
        with pytest.raises(ProviderUnavailable, match=reason):
            discover(there.issuer)


def test_a_slash_more_is_another_issuer() -> None:
    with OpenIDProvider() as there, pytest.raises(ProviderUnavailable, match="must be exactly that"):
        discover(f"{there.issuer}/")


@each(
    "answer",
    [
        (404, {}, b""),
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b"[" * 100_000),
        (200, {}, json.dumps({"issuer": "x" * 2**21}).encode()),
        (302, {"Location": "http://127.0.0.1:9/"}, b""),
    ],
)
def test_what_is_no_document_is_refused(answer: tuple[int, dict[str, str], bytes]) -> None:
    with OpenIDProvider() as there:
        there.answers = {"/.well-known/openid-configuration": answer}
        with pytest.raises(ProviderUnavailable):
            discover(there.issuer)


def test_it_is_asked_once_and_when_down_not_at_once_again() -> None:
    asked: list[str] = []
    now = 0.0
    is_down = True

    def read(issuer: str) -> Provider:
        asked.append(issuer)
        if is_down:
            raise ProviderUnavailable("no answer in time")
        return Provider(issuer=issuer, authorization_endpoint="a", token_endpoint="t", jwks_uri="k")

    config = Config(oidc_issuer="https://id.example", oidc_client_id="site", oidc_client_secret="s3cret")
    cache = ProviderCache(read, clock=lambda: now)
    with override_settings(CONFIG=config):
        for _ in range(3):
            with pytest.raises(ProviderUnavailable, match="no answer in time"):
                cache.current()
        assert len(asked) == 1 and cache.known() is None
        now, is_down = 11.0, False
        assert cache.current() is cache.current() is cache.known()
        assert len(asked) == 2
