"""A browser that signs in by OpenID Connect, and the settings that it needs."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client, override_settings

from inference.accounts.openid.provider import ProviderCache
from inference.core.config import Config
from tests.openid_provider import CLIENT, SECRET, OpenIDProvider

HERE = "203.0.113.7"
ROLES = "users=chat,operators=manage,owners=owner"


@contextlib.contextmanager
def site_of(provider: OpenIDProvider, **facts: Any) -> Iterator[None]:
    """A site with this provider, which it has not asked for anything yet."""
    given: dict[str, Any] = {"oidc_sign_up": "anybody", "oidc_name": "Team"} | facts
    own = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    config = Config(**(own | given))
    backends = [*settings.AUTHENTICATION_BACKENDS, "inference.accounts.openid.backend.OpenIDBackend"]
    cache = ProviderCache()
    changed = override_settings(
        CONFIG=config,
        ALLOWED_HOSTS=config.hosts,
        AUTHENTICATION_BACKENDS=backends,
        ROOT_URLCONF="tests.playground.openid_site_urls",
    )
    with changed, pytest.MonkeyPatch.context() as patch:
        for user in ("inference.accounts.openid.backend", "playground.openid"):
            patch.setattr(f"{user}.PROVIDER", cache)
        yield


def browser(address: str = HERE, host: str = "127.0.0.1") -> Client:
    return Client(headers={"host": host}, REMOTE_ADDR=address)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sent_to_provider(client: Client, target: str = "", **more: Any) -> str:
    """The address of the provider to which the button leads."""
    response = client.get("/login/openid/", {"next": target} if target else {}, **more)
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def back_from(address: str) -> str:
    """Where the provider sends the browser back to: path and query."""
    back = urlsplit(httpx.get(address).headers["Location"])
    return f"{back.path}?{back.query}"


def sign_in(client: Client, target: str = "") -> Any:
    """The site's answer to a browser that comes back from the provider."""
    return client.get(back_from(sent_to_provider(client, target)))
