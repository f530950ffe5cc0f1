"""The use of one key or account, counted in memory, in this process."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from msgspec import Struct

from inference.core.errors import RateLimited
from inference.core.principal import Allowance

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

    `holder` is what errors call it. Where fronts share a Redis, its tokens are those of all of them, as far
    as this one knows, and `shared_requests` says what they leave of its requests.
    """

    def __init__(self, clock: Callable[[], float], now: Callable[[], float], holder: str = "API key") -> None:
        self.holder = holder
        self._clock = clock
        self._now = now
        self._requests_at: deque[float] = deque()
        self._day: date | None = None
        self._tokens = 0
        self._unsent = 0  # of the tokens, those that other fronts do not know of
        self._streams = 0
        self.shared_requests: Left | None = None
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
            first = self._requests_at[len(self._requests_at) - most]
            raise self.too_many_requests(most, first + _MINUTE_S - now)
        self._requests_at.append(now)

    def note_request(self) -> None:
        """Count a request that the count of all fronts has admitted."""
        now = self._clock()
        self._drop_old(now)
        self._requests_at.append(now)

    def too_many_requests(self, most: int, wait_s: float) -> RateLimited:
        """The error of one request more than `most` a minute."""
        return RateLimited(
            f"This {self.holder} may send {most} requests a minute; please wait a little.", retry_after=wait_s
        )

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
            raise self.too_many_streams(most)
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def too_many_streams(self, most: int) -> RateLimited:
        """The error of one stream more than `most`."""
        return RateLimited(
            f"This {self.holder} may have {most} answers in progress at once; wait until one has ended.",
            retry_after=_A_STREAM_ENDS_S,
        )

    def spend(self, tokens: int) -> None:
        """Count tokens while their stream goes on, so that parallel streams share what is left."""
        self._roll_day()
        self._tokens += tokens
        self._unsent += tokens

    @property
    def has_unsent(self) -> bool:
        """Whether it has tokens that are not shared with the other fronts yet."""
        return self._unsent > 0

    def take_unsent(self) -> tuple[int, int]:
        """The day's tokens that other fronts know of, and the new ones to share now."""
        self._roll_day()
        new, self._unsent = self._unsent, 0
        return self._tokens - new, new

    def put_back(self, tokens: int) -> None:
        """Mark tokens as not shared, because sharing them failed."""
        self._unsent += tokens

    def note_sum(self, tokens: int) -> None:
        """Set the sum of all fronts, including the tokens that this front has shared."""
        self._tokens = tokens + self._unsent

    @property
    def day(self) -> date:
        """The day whose tokens it counts, in UTC."""
        self._roll_day()
        return self._today()

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
            own = Left(limit=most, remaining=remaining, reset_s=reset)
            found["requests"] = self.shared_requests or own
        if (most := allowance.tokens_per_day) is not None:
            remaining = max(0, most - self.tokens)
            found["tokens"] = Left(limit=most, remaining=remaining, reset_s=self.rest_of_day)
        return found

    def _drop_old(self, now: float) -> None:
        while self._requests_at and self._requests_at[0] <= now - _MINUTE_S:
            self._requests_at.popleft()

    def _roll_day(self) -> None:
        if self._day != (day := self._today()):
            self._day, self._tokens, self._unsent = day, 0, 0

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()
