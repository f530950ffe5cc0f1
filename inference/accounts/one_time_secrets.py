"""The secrets of new keys until the page that shows each of them once; kept in memory only."""

import secrets
import threading
import time
from collections.abc import Callable

from msgspec import Struct

LIVES_S = 300.0


class OneTimeSecret(Struct, frozen=True, kw_only=True):
    """A secret that was not shown yet, and the session that may see it."""

    key: int
    secret: str
    session: str
    until: float


class OneTimeSecrets:
    """Secrets by tokens that work once, for the session that made the key, and for a few minutes."""

    def __init__(self, *, lives_s: float = LIVES_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._lives_s = lives_s
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[str, OneTimeSecret] = {}

    def keep(self, key: int, secret: str, session: str) -> str:
        """Keep a secret for this session; return the token for `take`."""
        token, now = secrets.token_urlsafe(16), self._clock()
        made = OneTimeSecret(key=key, secret=secret, session=session, until=now + self._lives_s)
        with self._lock:
            self._made = {one: kept for one, kept in self._made.items() if kept.until > now} | {token: made}
        return token

    def take(self, token: str, session: str) -> OneTimeSecret | None:
        """Return the secret once; None when it was taken, is too old, or belongs to another session."""
        with self._lock:
            made = self._made.get(token)
            if made is None or made.session != session or made.until <= self._clock():
                return None
            return self._made.pop(token)


ONE_TIME_SECRETS = OneTimeSecrets()
