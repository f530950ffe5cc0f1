"""Whether the OpenID provider of the settings can be asked."""

from typing import Any

import pytest
from django.test import override_settings

from inference.core.config import Config
from inference.serving.health.checks import openid_provider
from tests.openid_provider import OpenIDProvider


def config_of(issuer: str, **facts: Any) -> Config:
    return Config(oidc_issuer=issuer, oidc_client_id="site", oidc_client_secret="s3cret", **facts)


def test_one_that_answers_is_good() -> None:
    with OpenIDProvider() as provider, override_settings(CONFIG=config_of(provider.issuer, oidc_name="Team")):
        (result,) = openid_provider.check()
    assert (result.state, result.text) == ("good", "Team answers")


@pytest.mark.parametrize("path", ["/realms/team", "/realms/other"])
def test_one_that_cannot_be_reached_or_is_another_is_told_of(path: str) -> None:
    with OpenIDProvider() as provider:
        there = provider.issuer.removesuffix("/realms/team") + path
        if path == "/realms/team":
            there = "http://127.0.0.1:9/realms/team"
        with override_settings(CONFIG=config_of(there)):
            (result,) = openid_provider.check()
    assert result.state == "look" and "does not respond" in result.text
    assert "MLX_SERVER_OIDC_ISSUER" in result.advice


def test_without_a_provider_it_says_nothing() -> None:
    assert list(openid_provider.check()) == []
