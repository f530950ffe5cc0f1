"""Rate limits of API keys and accounts, counted in memory, in this process."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from msgspec import Struct

from inference.accounts.account_limits import CachedAccount
from inference.core.errors import RateLimited
from inference.core.principal import Allowance, Principal

_MINUTE_S = 60.0
_DAY_S = 86_400
_A_STREAM_ENDS_S = 1.0  # a guess; asking again costs little


class Left(Struct, frozen=True, kw_only=True):
    """How much of one limit is left, and in how many seconds all of it is back."""

    limit: int
    remaining: int
    reset_s: float


class UsageMeter:
    """The use of one key or account: requests of the last minute, streams now, tokens of the day.

    `holder` is what errors call it.
    """

    def __init__(self, clock: Callable[[], float], now: Callable[[], float], holder: str = "API key") -> None:
        self.holder = holder
        self._clock = clock
        self._now = now
        self._requests_at: deque[float] = deque()
        self._day: date | None = None
        self._tokens = 0
        self._streams = 0
        self._recorded_at: float | None = None

    @property
    def is_record_due(self) -> bool:
        """Whether its last use is to be recorded: once a minute."""
        return self._recorded_at is None or self._clock() - self._recorded_at >= _MINUTE_S

    def note_record(self) -> None:
        """Its use was recorded now."""
        self._recorded_at = self._clock()

    def begin_day(self, day: date, tokens: int) -> None:
        """Start from what was used before this process counted; its own count is never replaced."""
        if self._day is None and day == self._today():
            self._day, self._tokens = day, tokens

    def count_request(self, allowance: Allowance) -> None:
        """Count one request; raises RateLimited when there were too many in the last minute."""
        if (most := allowance.requests_per_minute) is None:
            return
        now = self._clock()
        self._drop_old(now)
        if len(self._requests_at) >= most:
            raise RateLimited(
                f"This {self.holder} may send {most} requests a minute; please wait a little.",
                retry_after=self._requests_at[len(self._requests_at) - most] + _MINUTE_S - now,
            )
        self._requests_at.append(now)

    def check_tokens(self, allowance: Allowance) -> None:
        """Raise RateLimited when the tokens of the day are used up."""
        most = allowance.tokens_per_day
        if most is not None and self.tokens >= most:
            raise RateLimited(
                f"This {self.holder} has used its {most} tokens of today; there are more after midnight UTC.",
                retry_after=self.rest_of_day,
            )

    @contextmanager
    def stream(self, allowance: Allowance) -> Iterator[None]:
        """Count a stream while the block runs; raises RateLimited when there are too many."""
        most = allowance.streams
        if most is not None and self._streams >= most:
            raise RateLimited(
                f"This {self.holder} may have {most} answers in progress at once; wait until one has ended.",
                retry_after=_A_STREAM_ENDS_S,
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def spend(self, tokens: int) -> None:
        """Count tokens while their stream goes on, so that parallel streams share what is left."""
        self._roll_day()
        self._tokens += tokens

    @property
    def tokens(self) -> int:
        self._roll_day()
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
            reset = self._requests_at[-1] + _MINUTE_S - now if self._requests_at else 0.0
            remaining = max(0, most - len(self._requests_at))
            found["requests"] = Left(limit=most, remaining=remaining, reset_s=reset)
        if (most := allowance.tokens_per_day) is not None:
            remaining = max(0, most - self.tokens)
            found["tokens"] = Left(limit=most, remaining=remaining, reset_s=self.rest_of_day)
        return found

    def _drop_old(self, now: float) -> None:
        while self._requests_at and self._requests_at[0] <= now - _MINUTE_S:
            self._requests_at.popleft()

    def _roll_day(self) -> None:
        if self._day != (day := self._today()):
            self._day, self._tokens = day, 0

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


class Limits:
    """A meter for each key and limited account that was used; lives on the event loop."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._now = now
        self._meters: dict[str, UsageMeter] = {}

    def of(self, principal: Principal) -> UsageMeter:
        """The principal's meter; only names of existing keys come here, so there are few."""
        return self._meters.setdefault(principal.name, UsageMeter(self._clock, self._now))

    @contextmanager
    def stream(self, principal: Principal) -> Iterator[UsageMeter | None]:
        """Count a stream of the key while the block runs; yields its meter, None for no limits.

        Raises RateLimited.
        """
        if not is_metered(principal):
            yield None
            return
        meter = self.of(principal)
        meter.check_tokens(principal.allowance)
        with meter.stream(principal.allowance):
            yield meter

    @contextmanager
    def account_stream(
        self, principal: Principal, account: CachedAccount | None, *, is_own: bool = True
    ) -> Iterator[UsageMeter | None]:
        """Count a stream of the principal's account while the block runs; yields None for no limits.

        One that the site makes by itself (not `is_own`) takes tokens, but counts as no request and no stream.
        Raises RateLimited.
        """
        if account is None:
            yield None
            return
        meter = self._meters.setdefault(principal.share, UsageMeter(self._clock, self._now, "account"))
        meter.begin_day(account.day, account.tokens_today)
        meter.check_tokens(account.allowance)
        if not is_own:
            yield meter
            return
        meter.count_request(account.allowance)
        with meter.stream(account.allowance):
            yield meter


def is_metered(principal: Principal) -> bool:
    """Whether this is a key of the database: the operator's own key and users have no limits."""
    return principal.kind == "key" and bool(principal.name)


LIMITS = Limits()
