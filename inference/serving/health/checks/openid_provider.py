"""The OpenID provider, where one is set: whether it can be reached and is the one of the settings."""

from collections.abc import Iterator

from django.conf import settings

from inference.accounts.openid import provider
from inference.accounts.openid.errors import ProviderUnavailable
from inference.serving.health.finding import CheckResult

_ADVICE = (
    "Until then people can sign in with passwords alone. Look at MLX_SERVER_OIDC_ISSUER, and at the provider "
    "itself."
)


def check() -> Iterator[CheckResult]:
    config = settings.CONFIG
    if not config.oidc_issuer:
        return
    try:
        provider.discover(config.oidc_issuer)
    except ProviderUnavailable as error:
        text = f"{config.oidc_label} does not respond, so nobody can sign in with it: {error.reason}."
        yield CheckResult(about="sign-in", text=text, state="look", advice=_ADVICE)
    else:
        yield CheckResult(about="sign-in", text=f"{config.oidc_label} answers")
