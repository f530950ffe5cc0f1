"""The settings, as `manage.py check` sees them, and how other machines reach the site."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from inference.serving.health.finding import CheckResult, State

_UNENCRYPTED = "Other machines reach this site without TLS, so keys and chats can be read on the way."
_TLS = "Put a proxy with TLS in front (docs/tls.md), and name it in MLX_SERVER_ORIGINS."


def check() -> Iterator[CheckResult]:
    found = [*_messages(), *_exposure()]
    yield from found or [CheckResult(about="settings", text="no problems found")]


def _messages() -> Iterator[CheckResult]:
    for message in checks.run_checks():
        state: State = "wrong" if message.is_serious() else "look"
        yield CheckResult(
            about="settings", text=str(message.msg), state=state, advice=str(message.hint or "")
        )


def _exposure() -> Iterator[CheckResult]:
    """A site that listens beyond loopback; without a key the messages above have it already."""
    config = settings.CONFIG
    has_tls = any(origin.startswith("https://") for origin in config.own_origins)
    if not config.is_loopback and config.api_key and not has_tls:
        yield CheckResult(about="settings", text=_UNENCRYPTED, state="look", advice=_TLS)
