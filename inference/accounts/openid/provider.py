"""The OpenID provider: the addresses in its discovery document, read once, when they are needed first."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from django.conf import settings
from msgspec import Struct

from inference.accounts.openid import provider_request
from inference.accounts.openid.errors import ProviderUnavailable
from inference.core.openid_settings import check_provider_address

_AGAIN_AFTER_S = 10.0  # until then a provider that is down is not asked again
_OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


class Provider(Struct, frozen=True, kw_only=True):
    """Where a provider is asked for what; an address that it does not have is empty."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    client_authentication: Literal["post", "basic"] = "basic"


def discover(issuer: str) -> Provider:
    """The provider's discovery document; raises ProviderUnavailable."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    found = provider_request.read(url)
    if found.get("issuer") != issuer:
        raise ProviderUnavailable(
            f"{url} is of the issuer {str(found.get('issuer'))[:200]!r}: MLX_SERVER_OIDC_ISSUER must be "
            "exactly that"
        )
    required = {name: _address(found, name) for name in Provider.__struct_fields__[1:4]}
    optional = {name: _address(found, name) for name in _OPTIONAL if found.get(name)}
    # Without the list, it is `client_secret_basic` alone (OpenID Connect Discovery, section 3).
    methods = found.get("token_endpoint_auth_methods_supported")
    can_post = isinstance(methods, list) and "client_secret_post" in methods
    return Provider(
        issuer=issuer, **required, **optional, client_authentication="post" if can_post else "basic"
    )


def _address(found: dict[str, Any], name: str) -> str:
    address = found.get(name)
    try:
        check_provider_address(address if isinstance(address, str) else "")
    except ValueError as error:
        raise ProviderUnavailable(f"its discovery document has no valid {name}: {error}") from None
    return str(address)


class ProviderCache:
    """The provider of the settings, for as long as this process runs."""

    def __init__(
        self, read: Callable[[str], Provider] = discover, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._known: Provider | None = None
        self._failure: tuple[float, str] | None = None  # when it may be asked again, and why not before

    def known(self) -> Provider | None:
        """What was read already, without asking."""
        known = self._known
        return known if known and known.issuer == settings.CONFIG.oidc_issuer else None

    def current(self) -> Provider:
        """The provider, asked if it is not known yet; raises ProviderUnavailable."""
        with self._lock:
            if known := self.known():
                return known
            if self._failure and self._clock() < self._failure[0]:
                raise ProviderUnavailable(self._failure[1])
            try:
                self._known = self._read(settings.CONFIG.oidc_issuer)
            except ProviderUnavailable as error:
                self._failure = (self._clock() + _AGAIN_AFTER_S, error.reason)
                raise
            self._failure = None
            return self._known


PROVIDER = ProviderCache()
