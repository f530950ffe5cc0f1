"""The secret that a key is: 256 random bits behind a short beginning that may be seen."""

import re
import secrets
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct

_PREFIX = re.compile(r"(mlx-[0-9a-f]{12})-[A-Za-z0-9_-]{43}")


class OldSecret(Struct, frozen=True):
    """A secret that another one replaced: its digest, and when it stops working."""

    digest: str
    ends_at: datetime


def make(prefix: str = "") -> str:
    """A new secret, with this prefix or a new one; a prefix finds its key and says nothing of the rest."""
    return f"{prefix or f'mlx-{secrets.token_hex(6)}'}-{secrets.token_urlsafe(32)}"


def prefix_of(given: str) -> str:
    """The visible beginning; empty when this is no secret of ours, whatever else it may be."""
    found = _PREFIX.fullmatch(given)
    return found[1] if found else ""


def digest(secret: str) -> str:
    # One round is enough: nobody can try 2^256 secrets, unlike the passwords people choose.
    return sha256(secret.encode()).hexdigest()


def is_right(given: str, expected_digest: str) -> bool:
    return compare_digest(digest(given), expected_digest)
