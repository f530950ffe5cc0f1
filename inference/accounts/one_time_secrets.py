"""A new key's secret on its way from the form to the page that shows it once: in memory alone."""

import secrets
import threading
import time
from collections.abc import Callable

from msgspec import Struct

LIVES_S = 300.0


class Made(Struct, frozen=True, kw_only=True):
    """A secret that nobody has seen yet, and whose eyes it is for."""

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
        self._made: dict[str, Made] = {}

    def keep(self, key: int, secret: str, session: str) -> str:
        """Keep a secret for this session; returns the token that `take` wants."""
        token, now = secrets.token_urlsafe(16), self._clock()
        made = Made(key=key, secret=secret, session=session, until=now + self._lives_s)
        with self._lock:
            self._made = {one: kept for one, kept in self._made.items() if kept.until > now} | {token: made}
        return token

    def take(self, token: str, session: str) -> Made | None:
        """Give it out, this once; None when it was taken, is too old, or is another session's."""
        with self._lock:
            made = self._made.get(token)
            if made is None or made.session != session or made.until <= self._clock():
                return None
            return self._made.pop(token)


SHOWING = OneTimeSecrets()
