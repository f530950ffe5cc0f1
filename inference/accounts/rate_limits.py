"""What each key has used of what it may: counted in memory, in this process."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from msgspec import Struct

from inference.core.errors import RateLimited
from inference.core.principal import Allowance, Principal

_MINUTE_S = 60.0
_DAY_S = 86_400
_A_STREAM_ENDS_S = 1.0  # a guess: nobody knows when, and asking costs little


class Left(Struct, frozen=True, kw_only=True):
    """How much of one limit is left, and in how many seconds all of it is back."""

    limit: int
    remaining: int
    reset_s: float


class UsageMeter:
    """One key's use: the requests of the last minute, the streams now, the tokens of the day."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._clock = clock
        self._now = now
        self._asked: deque[float] = deque()
        self._day: date | None = None
        self._tokens = 0
        self._streams = 0
        self._told_at: float | None = None

    def is_news(self) -> bool:
        """Whether its use is worth a row: once a minute."""
        now = self._clock()
        if self._told_at is not None and now - self._told_at < _MINUTE_S:
            return False
        self._told_at = now
        return True

    def begin_day(self, day: date, tokens: int) -> None:
        """Take over what was used before this process counted; what it counts itself is never replaced."""
        if self._day is None and day == self._today():
            self._day, self._tokens = day, tokens

    def ask(self, allowance: Allowance) -> None:
        """Count one request; RateLimited when there were too many in the last minute."""
        if (most := allowance.requests_per_minute) is None:
            return
        now = self._clock()
        self._drop_old(now)
        if len(self._asked) >= most:
            raise RateLimited(
                f"This API key may send {most} requests a minute; please wait a little.",
                retry_after=self._asked[len(self._asked) - most] + _MINUTE_S - now,
            )
        self._asked.append(now)

    def check_tokens(self, allowance: Allowance) -> None:
        most = allowance.tokens_per_day
        if most is not None and self.tokens >= most:
            raise RateLimited(
                f"This API key has used its {most} tokens of today; there are more after midnight UTC.",
                retry_after=self.rest_of_day,
            )

    def open(self, allowance: Allowance) -> None:
        """Take a stream; it must be closed again."""
        most = allowance.streams
        if most is not None and self._streams >= most:
            raise RateLimited(
                f"This API key may have {most} answers made at the same time; wait until one has ended.",
                retry_after=_A_STREAM_ENDS_S,
            )
        self._streams += 1

    def close(self) -> None:
        self._streams -= 1

    def spend(self, tokens: int) -> None:
        """Count them at once, while their stream goes on: those beside it share what is left."""
        self._roll()
        self._tokens += tokens

    @property
    def tokens(self) -> int:
        self._roll()
        return self._tokens

    @property
    def streams(self) -> int:
        return self._streams

    @property
    def rest_of_day(self) -> float:
        """Seconds until midnight UTC."""
        return _DAY_S - self._now() % _DAY_S

    def left(self, allowance: Allowance) -> dict[str, Left]:
        """What is left of requests and tokens, where they are limited."""
        found: dict[str, Left] = {}
        if (most := allowance.requests_per_minute) is not None:
            now = self._clock()
            self._drop_old(now)
            reset = self._asked[-1] + _MINUTE_S - now if self._asked else 0.0
            remaining = max(0, most - len(self._asked))
            found["requests"] = Left(limit=most, remaining=remaining, reset_s=reset)
        if (most := allowance.tokens_per_day) is not None:
            remaining = max(0, most - self.tokens)
            found["tokens"] = Left(limit=most, remaining=remaining, reset_s=self.rest_of_day)
        return found

    def _drop_old(self, now: float) -> None:
        while self._asked and self._asked[0] <= now - _MINUTE_S:
            self._asked.popleft()

    def _roll(self) -> None:
        if self._day != (day := self._today()):
            self._day, self._tokens = day, 0

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


class Limits:
    """A meter for each key that was seen; all of it happens on the site's one loop."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._now = now
        self._meters: dict[str, UsageMeter] = {}

    def of(self, principal: Principal) -> UsageMeter:
        """The holder's meter; only names of real keys come here, so there are few."""
        return self._meters.setdefault(principal.name, UsageMeter(self._clock, self._now))

    @contextmanager
    def stream(self, principal: Principal) -> Iterator[UsageMeter | None]:
        """Hold one of the key's streams while the block runs, which spends on this meter; None: no limits."""
        if not is_metered(principal):
            yield None
            return
        meter = self.of(principal)
        meter.check_tokens(principal.allowance)
        meter.open(principal.allowance)
        try:
            yield meter
        finally:
            meter.close()


def is_metered(principal: Principal) -> bool:
    """Whether this is a key made here: the operator's own has no limits, and users have none."""
    return principal.kind == "key" and bool(principal.name)


LIMITS = Limits()
