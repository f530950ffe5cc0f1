"""A cache of all API keys, read from the database every few seconds and never for each request."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.db import close_old_connections, transaction
from msgspec import Struct

from inference.accounts.cached_table import LIVES_S, CachedTable
from inference.core import key_secret
from inference.core.errors import AuthenticationFailed
from inference.core.key_secret import OldSecret
from inference.core.principal import Allowance, Principal, Scope
from inference.models.api_key import ApiKey
from inference.models.usage_limits import today


class CachedKey(Struct, frozen=True, kw_only=True):
    """A key as the cache has it."""

    digest: str
    old_secrets: tuple[OldSecret, ...] = ()
    account: str = ""  # its owner's user name
    scopes: tuple[Scope, ...]
    models: frozenset[str] = frozenset()  # ids; empty for all
    allowance: Allowance
    expires_at: datetime | None = None
    is_revoked: bool = False
    is_owner_active: bool = True
    day: date
    tokens_today: int = 0  # used on that day, when this was read


Table = Mapping[str, CachedKey]
_NOT_VALID = "This API key is not valid; send it as `Authorization: Bearer KEY`."


def read() -> Table:
    """Read all keys from the database."""
    day = today().date()
    try:
        return {key.prefix: _known(key, day) for key in ApiKey.objects.with_tokens_today()}
    finally:
        close_old_connections()


def _known(key: Any, day: date) -> CachedKey:
    return CachedKey(
        digest=key.digest,
        old_secrets=key.replaced_secrets,
        account=key.owner.get_username(),
        scopes=key.scopes,
        models=frozenset(key.allowed_models),
        allowance=key.allowance,
        expires_at=key.expires_at,
        is_revoked=key.is_revoked,
        is_owner_active=key.owner.is_active,
        day=day,
        tokens_today=key.tokens_today,
    )


def _check_secret(secret: str, known: CachedKey) -> None:
    """Raise AuthenticationFailed unless this is the secret of the key, or an old one that still works."""
    if key_secret.is_right(secret, known.digest):
        return
    old = next((one for one in known.old_secrets if key_secret.is_right(secret, one.digest)), None)
    if old is None:
        raise AuthenticationFailed(_NOT_VALID)
    if old.ends_at <= datetime.now(UTC):
        raise AuthenticationFailed(
            "This API key was renewed, and its old secret no longer works; ask for the new one."
        )


class KeyRing(CachedTable[Table]):
    """Finds the principal of a secret."""

    def __init__(
        self,
        read: Callable[[], Table] = read,
        *,
        lives_s: float = LIVES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(read, name="API keys", lives_s=lives_s, clock=clock)

    async def holder(self, secret: str) -> tuple[Principal, CachedKey]:
        """The principal of this secret and its key; raises AuthenticationFailed or Unavailable."""
        prefix = key_secret.prefix_of(secret)
        known = (await self.current()).get(prefix) if prefix else None
        if known is None:
            raise AuthenticationFailed(_NOT_VALID)
        _check_secret(secret, known)
        if known.is_revoked:
            raise AuthenticationFailed("This API key was revoked; ask for a new one.")
        if known.expires_at is not None and known.expires_at <= datetime.now(UTC):
            raise AuthenticationFailed("This API key has expired; ask for a new one.")
        if not known.is_owner_active:
            raise AuthenticationFailed("The account that this API key belongs to is disabled.")
        principal = Principal(
            kind="key",
            name=prefix,
            scopes=known.scopes,
            models=known.models,
            allowance=known.allowance,
            account=known.account,
        )
        return principal, known


RING = KeyRing()


def forget(**signal: Any) -> None:
    """Apply a change that was saved in this process once it is committed."""
    transaction.on_commit(RING.forget)
