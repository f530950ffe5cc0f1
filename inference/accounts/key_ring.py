"""A cache of all API keys, read from the database every few seconds and never for each request."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

from django.db import close_old_connections, transaction
from msgspec import Struct

from inference.core import key_secret
from inference.core.errors import AuthenticationFailed, Unavailable
from inference.core.principal import Allowance, Principal, Scope
from inference.models.api_key import ApiKey, today

logger = logging.getLogger(__name__)
LIVES_S = 3.0


class CachedKey(Struct, frozen=True, kw_only=True):
    """A key as the cache has it."""

    digest: str
    scopes: tuple[Scope, ...]
    allowance: Allowance
    expires_at: datetime | None = None
    is_revoked: bool = False
    is_owner_active: bool = True
    day: date
    tokens_today: int = 0  # used on that day, when this was read


Table = Mapping[str, CachedKey]


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
        scopes=key.scopes,
        allowance=key.allowance,
        expires_at=key.expires_at,
        is_revoked=key.is_revoked,
        is_owner_active=key.owner.is_active,
        day=day,
        tokens_today=key.tokens_today,
    )


class KeyRing:
    """Finds the principal of a secret. One read serves all requests that wait; `forget` forces another."""

    def __init__(
        self,
        read: Callable[[], Table] = read,
        *,
        lives_s: float = LIVES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._lives_s = lives_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._lock = threading.Lock()
        self._table: Table | None = None
        self._read_at = 0.0
        self._reading: Future[None] | None = None
        self._age = 0  # counts calls of `forget`: a read that began before the last one is discarded

    def forget(self) -> None:
        """Read the database again before the next key is accepted; safe from any thread."""
        with self._lock:
            self._age += 1
            self._table = self._reading = None

    async def holder(self, secret: str) -> tuple[Principal, CachedKey]:
        """The principal of this secret and its key; raises AuthenticationFailed or Unavailable."""
        prefix = key_secret.prefix_of(secret)
        known = (await self._known()).get(prefix) if prefix else None
        if known is None or not key_secret.is_right(secret, known.digest):
            raise AuthenticationFailed("This API key is not valid; send it as `Authorization: Bearer KEY`.")
        if known.is_revoked:
            raise AuthenticationFailed("This API key was revoked; ask for a new one.")
        if known.expires_at is not None and known.expires_at <= datetime.now(UTC):
            raise AuthenticationFailed("This API key has expired; ask for a new one.")
        if not known.is_owner_active:
            raise AuthenticationFailed("The account that this API key belongs to is disabled.")
        principal = Principal(kind="key", name=prefix, scopes=known.scopes, allowance=known.allowance)
        return principal, known

    async def _known(self) -> Table:
        while True:
            with self._lock:
                if self._table is not None and self._clock() - self._read_at < self._lives_s:
                    return self._table
                if self._reading is None:
                    self._reading = self._thread.submit(self._refresh, self._age)
                reading = self._reading
            # A request that is cancelled must not cancel the read for the others.
            await asyncio.shield(asyncio.wrap_future(reading))

    def _refresh(self, age: int) -> None:
        """Read, in the cache's own thread; while the database fails, the last known keys stay."""
        began = self._clock()
        try:
            table = self._read()
        except Exception as error:
            logger.warning("API keys stay as last known, the database fails: %r", error)
            table = self._last_known(age)
        with self._lock:
            if age == self._age:
                self._table, self._read_at, self._reading = table, began, None

    def _last_known(self, age: int) -> Table:
        with self._lock:
            if age == self._age:
                self._reading = None
            if self._table is None:
                raise Unavailable("API keys cannot be checked now; please try again.", retry_after=5)
            return self._table


RING = KeyRing()


def forget(**signal: Any) -> None:
    """Apply a change that was saved in this process once it is committed."""
    transaction.on_commit(RING.forget)
