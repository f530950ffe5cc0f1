"""Django's authentication backend for people of the OpenID provider.

It closes what the library leaves open: redirects are followed with the client's secret, a silent provider is
waited for without end, one algorithm is known, `iss`, `aud` and `azp` are not looked at, an expired token is
a server error, UserInfo may describe somebody else, accounts are found by e-mail alone, and sessions of
accounts that are not active go on.
"""

from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from jwt import PyJWK
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from inference.accounts.openid import id_token, provider_request
from inference.accounts.openid.errors import ProviderUnavailable, SignInRefused
from inference.accounts.openid.federated_account import account_of
from inference.accounts.openid.library_settings import library_setting
from inference.accounts.openid.person import person_of
from inference.accounts.openid.provider import PROVIDER
from inference.accounts.openid.provider_request import ProviderRefused


class OpenIDBackend(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library is untyped
    """Raises SignInRefused, NotAdmitted and ProviderUnavailable; the library raises SuspiciousOperation."""

    OIDC_RP_SIGN_ALGO = "RS256"  # any with a public key: the library then looks for one in the JWKS
    OIDC_RP_IDP_SIGN_KEY = None
    get_settings = staticmethod(library_setting)
    get_user = ModelBackend.get_user

    def __init__(self) -> None:
        # Django makes a backend for each request. The library's own would ask the provider for its addresses.
        self.UserModel = get_user_model()

    def authenticate(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> Any:
        """With keywords of its own, so that Django does not try passwords here, with a code in their URL."""
        try:
            self.OIDC_RP_CLIENT_SECRET = settings.CONFIG.oidc_secret
        except (OSError, ValueError):
            raise ProviderUnavailable("MLX_SERVER_OIDC_CLIENT_SECRET_FILE cannot be read") from None
        self.OIDC_RP_CLIENT_ID = settings.CONFIG.oidc_client_id
        return super().authenticate(request, nonce=nonce, code_verifier=code_verifier)

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """Exchange the code; the client names itself in the way that the provider has listed."""
        provider, headers = PROVIDER.current(), {}
        if provider.client_authentication == "basic":
            secret = payload.pop("client_secret")
            # Both are form-encoded first (RFC 6749, section 2.3.1).
            pair = f"{quote_plus(payload['client_id'])}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        try:
            answer = provider_request.read(provider.token_endpoint, form=payload, headers=headers)
        except ProviderRefused as error:
            if error.code != "invalid_grant":
                raise
            raise SignInRefused("the provider does not know the code, or has exchanged it before") from None
        if not isinstance(answer.get("id_token"), str):
            raise SignInRefused("the provider did not send an ID token")
        return answer

    def retrieve_matching_jwk(self, token: str) -> PyJWK:
        keys = provider_request.read(PROVIDER.current().jwks_uri).get("keys")
        return id_token.matching_key(token, keys if isinstance(keys, list) else [])

    def get_payload_data(self, token: str, key: PyJWK) -> dict[str, Any]:
        """The claims of a token; the nonce is compared by the library."""
        config = settings.CONFIG
        return id_token.verified(token, key, issuer=config.oidc_issuer, client_id=config.oidc_client_id)

    def get_userinfo(self, access_token: Any, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What the UserInfo endpoint has; nothing where there is none."""
        address = PROVIDER.current().userinfo_endpoint
        if not address or not isinstance(access_token, str) or not access_token.isascii():
            return {}
        return provider_request.read(address, headers={"Authorization": f"Bearer {access_token}"})

    def get_or_create_user(self, access_token: Any, id_token: str, payload: dict[str, Any]) -> User:
        userinfo = self.get_userinfo(access_token, id_token, payload)
        return account_of(person_of(payload, userinfo, settings.CONFIG.oidc_groups_claim), settings.CONFIG)
