"""A cache of the limits of accounts: an account's own, else the highest of its groups."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.db import close_old_connections, transaction
from django.db.models import F
from msgspec import Struct

from inference.accounts.cached_table import LIVES_S, CachedTable
from inference.core.errors import Unavailable
from inference.core.principal import Allowance, Principal
from inference.fronts.front import tell_others
from inference.fronts.handlers import HANDLERS
from inference.models.usage_limits import LIMITS, AccountDay, AccountLimits, GroupLimits, today

LIMITS_CHANGED = "limits_changed"  # what fronts tell each other
_Limits = tuple[int | None, ...]


class CachedAccount(Struct, frozen=True, kw_only=True):
    """The limits of an account, and what it had used on that day when this was read."""

    allowance: Allowance
    day: date
    tokens_today: int = 0


Accounts = Mapping[str, CachedAccount]  # by user name; accounts without limits are not in it


def read() -> Accounts:
    """Read the limits of all accounts from the database."""
    day = today().date()
    try:
        own = {name: limits for name, *limits in AccountLimits.objects.values_list("user__username", *LIMITS)}
        of_groups: dict[str, list[_Limits]] = defaultdict(list)
        for name, *limits in GroupLimits.objects.values_list("group__user__username", *LIMITS):
            if name:
                of_groups[name].append(tuple(limits))
        days = AccountDay.objects.filter(day=day, user__username__in={*own, *of_groups})
        used = dict(days.values_list("user__username", F("prompt_tokens") + F("completion_tokens")))
    finally:
        close_old_connections()
    found = {name: combined(tuple(own.get(name, ())), of_groups[name]) for name in {*own, *of_groups}}
    return {
        name: CachedAccount(allowance=allowance, day=day, tokens_today=used.get(name, 0))
        for name, allowance in found.items()
        if allowance != Allowance()
    }


def combined(own: _Limits, groups: list[_Limits]) -> Allowance:
    """An account's limits: its own where it has one, else the highest that one of its groups has."""
    limits: list[int | None] = []
    for place in range(len(LIMITS)):
        mine = own[place] if own else None
        given = [limit for group in groups if (limit := group[place]) is not None]
        limits.append(mine if mine is not None else max(given, default=None))
    return Allowance(requests_per_minute=limits[0], tokens_per_day=limits[1], streams=limits[2])


class AccountRing(CachedTable[Accounts]):
    """Finds the limits of the account behind a principal."""

    def __init__(
        self,
        read: Callable[[], Accounts] = read,
        *,
        lives_s: float = LIVES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(read, name="Limits of accounts", lives_s=lives_s, clock=clock)

    async def of(self, principal: Principal) -> CachedAccount | None:
        """The limits of the principal's account; None where it has none, and while nobody knows them."""
        if not principal.account:
            return None
        try:
            return (await self.current()).get(principal.account)
        except Unavailable:
            return None  # a database that fails stops no answers


ACCOUNTS = AccountRing()


def forget(**signal: Any) -> None:
    """Apply a change that was saved in this process once it is committed, at all fronts."""
    transaction.on_commit(ACCOUNTS.forget)
    transaction.on_commit(lambda: tell_others(LIMITS_CHANGED), robust=True)


def listen() -> None:
    """Apply what other fronts have saved."""
    HANDLERS.on(LIMITS_CHANGED, lambda body: ACCOUNTS.forget())
