"""Text that a client carries for this site: signed with the site's key, so that only its own is read again.

It is not secret: what is sealed is what the client was shown anyway.
"""

from typing import Final

from django.core import signing

MARK: Final = "mlx1."  # distinguishes ours from the values of other servers


class SealBroken(ValueError):
    """The value was made by a site like this one, and is not what that site made, or not with this key."""


def seal(text: str, purpose: str) -> str:
    """An opaque value of this text; `purpose` keeps the values of different fields apart."""
    return MARK + _signer(purpose).sign_object(text, compress=True)


def unseal(value: str, purpose: str) -> str | None:
    """The text that was sealed, None where another server made the value; raises SealBroken."""
    if not value.startswith(MARK):
        return None
    try:
        text = _signer(purpose).unsign_object(value.removeprefix(MARK))
    except (signing.BadSignature, ValueError):
        raise SealBroken from None
    return str(text)


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(salt=f"mlxsite.{purpose}")
