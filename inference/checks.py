"""What `manage.py check` reports about this machine and these settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from inference.core import data_folder
from inference.core.blas import best_blas
from inference.core.installation import INSTALLATION
from inference.core.unknown_settings import unknown_settings

_SHORT_KEY = 16
# Providers where anybody can have an account.
_OPEN_TO_ALL = ("https://accounts.google.com", "https://login.microsoftonline.com/common/v2.0")


def check_blas(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """On Linux the BLAS that comes with MLX is 50 to 100 times slower than a good one."""
    if settings.CONFIG.device == "gpu" or best_blas(settings.CONFIG.blas).name != "bundled":
        return []
    return [
        Warning(
            "CPU models will be slow: only the reference BLAS that comes with MLX was found.",
            hint="pip install scipy-openblas32 (or, on Debian, apt install libopenblas0-pthread).",
            id="inference.W001",
        )
    ]


def check_exposure(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Listening beyond loopback without a key would open the server to everybody on the network."""
    config = settings.CONFIG
    if not config.is_reachable or config.api_key:
        return []
    name, value = ("ORIGINS", config.origins) if config.is_loopback else ("HOST", config.host)
    return [
        Error(
            f"MLX_SERVER_{name} is {value}, beyond loopback, but no MLX_SERVER_API_KEY is set.",
            hint="Set MLX_SERVER_API_KEY to a long random value, or serve 127.0.0.1 alone.",
            id="inference.E001",
        )
    ]


def check_proxy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Behind a proxy that is not named, all clients have one address, so sign-ins are throttled together."""
    config = settings.CONFIG
    if not config.own_origins or config.trusted_proxies:
        return []
    return [
        Warning(
            "MLX_SERVER_ORIGINS is set and MLX_SERVER_TRUSTED_PROXIES is not: the throttle of sign-ins "
            "cannot tell clients apart.",
            hint="Name the proxy, such as MLX_SERVER_TRUSTED_PROXIES=127.0.0.1.",
            id="inference.W004",
        )
    ]


def check_names(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A misspelt setting would leave the default in force without a message."""
    hint = f"Correct its name, or unset it (also in the file {INSTALLATION.env_file})."
    return [Error(wrong, hint=hint, id="inference.E002") for wrong in unknown_settings()]


def check_privacy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """In the data folder are prompts, answers and sessions; other users of this machine read none of them."""
    if not (found := data_folder.shared_paths(settings.CONFIG.data_dir)):
        return []
    return [
        Warning(
            f"Other users of this machine can read what the site keeps: {', '.join(found)}.",
            hint="Give MLX_SERVER_DATA_DIR a folder that belongs to the user who runs the site.",
            id="inference.W003",
        )
    ]


def check_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Nobody counts wrong keys, so a key has to be too long to be guessed."""
    key = settings.CONFIG.api_key
    if key is None or len(key.get_secret_value()) >= _SHORT_KEY:
        return []
    return [
        Warning(
            f"MLX_SERVER_API_KEY has fewer than {_SHORT_KEY} characters, so it can be guessed.",
            hint="Take a long random value, such as `openssl rand -base64 24` prints.",
            id="inference.W002",
        )
    ]


def check_sign_up(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Who gets an account by OpenID Connect: nobody by mistake, and everybody on the internet by none."""
    config = settings.CONFIG
    if not config.oidc_issuer:
        return []
    if config.oidc_sign_up == "listed" and not (config.oidc_roles or config.oidc_email_domains):
        return [
            Warning(
                "MLX_SERVER_OIDC_ISSUER is set, but no group and no domain is: nobody new can sign in there.",
                hint="Set MLX_SERVER_OIDC_ROLES or MLX_SERVER_OIDC_EMAIL_DOMAINS, or choose with "
                "MLX_SERVER_OIDC_SIGN_UP.",
                id="inference.W005",
            )
        ]
    if config.oidc_sign_up == "anybody" and config.oidc_issuer.rstrip("/") in _OPEN_TO_ALL:
        return [
            Warning(
                "MLX_SERVER_OIDC_SIGN_UP=anybody: everybody with an account at "
                f"{config.oidc_issuer} gets one here.",
                hint="Name the domains of your people with MLX_SERVER_OIDC_EMAIL_DOMAINS, and unset it.",
                id="inference.W006",
            )
        ]
    return []
