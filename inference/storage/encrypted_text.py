"""Secrets of other servers, encrypted for the database with a key that is derived from SECRET_KEY."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class Undecryptable(ValueError):
    """It was encrypted with another SECRET_KEY, or was changed."""


def encrypt(text: str, purpose: str) -> str:
    """The text encrypted and signed (Fernet); `purpose` keeps values of different fields apart."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def decrypt(value: str, purpose: str) -> str:
    """The text of an encrypted value; raises Undecryptable. SECRET_KEY_FALLBACKS are tried, too."""
    try:
        return _fernet(purpose).decrypt(value.encode()).decode()
    except (InvalidToken, ValueError):
        raise Undecryptable from None


def _fernet(purpose: str) -> MultiFernet:
    return MultiFernet(
        [Fernet(_key(secret, purpose)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


def _key(secret: str | bytes, purpose: str) -> bytes:
    made = salted_hmac(f"mlxsite.encrypted.{purpose}", b"", secret=secret, algorithm="sha256")
    return urlsafe_b64encode(made.digest())
