"""The settings of mozilla-django-oidc, made from those of this site."""

from typing import Any

from django.conf import settings

SIGN_IN, CALLBACK = "openid-sign-in", "openid-callback"  # the names of the two addresses


def library_setting(name: str, *default: Any) -> Any:
    """What the library finds under this name; it never looks into Django's settings."""
    config = settings.CONFIG
    known = {
        "OIDC_RP_CLIENT_ID": config.oidc_client_id,
        "OIDC_RP_SCOPES": config.oidc_scopes,
        "OIDC_USE_PKCE": True,
        "OIDC_USE_NONCE": True,
        "OIDC_STORE_ID_TOKEN": True,  # signing out there asks for it
        "OIDC_AUTHENTICATION_CALLBACK_URL": CALLBACK,
    }
    return known.get(name, *default)
