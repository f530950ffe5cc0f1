"""Rate limits of API keys and accounts: of this process, or of all fronts that share a Redis."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from inference.accounts.account_limits import CachedAccount
from inference.accounts.shared_counts import SharedCounts
from inference.accounts.usage_meter import UsageMeter
from inference.core.principal import Principal


class Limits:
    """A meter for each key and limited account that was used; lives on the event loop."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        counts: SharedCounts | None = None,
    ) -> None:
        self._clock = clock
        self._now = now
        self._meters: dict[str, UsageMeter] = {}
        self._counts = counts or SharedCounts()

    def of(self, principal: Principal) -> UsageMeter:
        """The principal's meter; only names of existing keys come here, so there are few."""
        return self._meters.setdefault(principal.name, UsageMeter(self._clock, self._now))

    async def count_request(self, principal: Principal) -> None:
        """Count one request of a key; raises RateLimited when there were too many in the last minute."""
        await self._counts.count_request(principal.name, self.of(principal), principal.allowance)

    @asynccontextmanager
    async def stream(self, principal: Principal) -> AsyncGenerator[UsageMeter | None]:
        """Count a stream of the key while the block runs; yields its meter, None for no limits.

        Raises RateLimited.
        """
        if not is_metered(principal):
            yield None
            return
        name, meter, allowance = principal.name, self.of(principal), principal.allowance
        await self._counts.learn_tokens(name, meter, allowance)
        meter.check_tokens(allowance)
        async with self._counts.stream(name, meter, allowance):
            yield meter

    @asynccontextmanager
    async def account_stream(
        self, principal: Principal, account: CachedAccount | None, *, is_own: bool = True
    ) -> AsyncGenerator[UsageMeter | None]:
        """Count a stream of the principal's account while the block runs; yields None for no limits.

        One that the site makes by itself (not `is_own`) takes tokens, but counts as no request and no stream.
        Raises RateLimited.
        """
        if account is None:
            yield None
            return
        name, allowance = principal.share, account.allowance
        meter = self._meters.setdefault(name, UsageMeter(self._clock, self._now, "account"))
        meter.begin_day(account.day, account.tokens_today)
        await self._counts.learn_tokens(name, meter, allowance)
        meter.check_tokens(allowance)
        if not is_own:
            yield meter
            return
        await self._counts.count_request(name, meter, allowance)
        async with self._counts.stream(name, meter, allowance):
            yield meter


def is_metered(principal: Principal) -> bool:
    """Whether this is a key of the database: the operator's own key and users have no limits."""
    return principal.kind == "key" and bool(principal.name)


LIMITS = Limits()
