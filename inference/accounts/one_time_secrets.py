"""The secrets of new keys until the page that shows each of them once; in memory, or in the shared Redis.

In the Redis a secret is encrypted with the key of the site, and the session that may see it is part of its
name. While the Redis is lost, the front that made the key keeps its secret in memory, as a site without one.
"""

import secrets
import threading
import time
from collections.abc import Callable
from hashlib import sha256

import msgspec
from msgspec import Struct

from inference.fronts import passing_values
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.storage.encrypted_text import Undecryptable, decrypt, encrypt

LIVES_S = 300.0
_PURPOSE = "one_time_secret"


class OneTimeSecret(Struct, frozen=True, kw_only=True):
    """A secret that was not shown yet, and the session that may see it."""

    key: int
    secret: str
    session: str
    until: float


class OneTimeSecrets:
    """Secrets by tokens that work once, for the session that made the key, and for a few minutes."""

    def __init__(
        self,
        *,
        lives_s: float = LIVES_S,
        clock: Callable[[], float] = time.monotonic,
        find_front: Callable[[], Front | None] = current,
    ) -> None:
        self._lives_s = lives_s
        self._clock = clock
        self._find_front = find_front
        self._lock = threading.Lock()
        self._made: dict[str, OneTimeSecret] = {}

    def keep(self, key: int, secret: str, session: str) -> str:
        """Keep a secret for this session; return the token for `take`."""
        token, now = secrets.token_urlsafe(16), self._clock()
        made = OneTimeSecret(key=key, secret=secret, session=session, until=now + self._lives_s)
        if not self._has_shared(token, made):
            with self._lock:
                kept = {one: other for one, other in self._made.items() if other.until > now}
                self._made = kept | {token: made}
        return token

    def take(self, token: str, session: str) -> OneTimeSecret | None:
        """Return the secret once; None when it was taken, is too old, or belongs to another session."""
        with self._lock:
            made = self._made.get(token)
            if made and (made.session != session or made.until <= self._clock()):
                return None
            self._made.pop(token, None)
        return made or self._shared(token, session)

    def _has_shared(self, token: str, made: OneTimeSecret) -> bool:
        """Whether it is where every front finds it."""
        if not (front := self._find_front()):
            return False
        sealed = encrypt(msgspec.json.encode(made).decode(), _PURPOSE)
        try:
            passing_values.put(front, _name(token, made.session), sealed, self._lives_s)
        except RedisLost:
            return False
        return True

    def _shared(self, token: str, session: str) -> OneTimeSecret | None:
        if not (front := self._find_front()):
            return None
        try:
            sealed = passing_values.take(front, _name(token, session))
            made = decrypt(sealed, _PURPOSE) if sealed else ""
        except (RedisLost, Undecryptable):
            return None
        return msgspec.json.decode(made, type=OneTimeSecret) if made else None


def _name(token: str, session: str) -> str:
    """Under which the Redis has it: only the session that made the key can name it."""
    return sha256(f"{token} {session}".encode()).hexdigest()


ONE_TIME_SECRETS = OneTimeSecrets()
