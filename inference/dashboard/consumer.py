"""The websocket that keeps the dashboard live."""

import asyncio
import contextlib
import math
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

import msgspec
from django.contrib.auth import get_user_model

from inference.access import may_look
from inference.consumers import FORBIDDEN, UNAUTHORISED, Telling
from inference.dashboard.hour import HOUR
from inference.dashboard.page import Known, Page, known, page
from inference.database import in_database

TICK_S = 0.5
LOOK_EVERY_S = 5.0  # at the disk, the database, and whether its reader is still staff
TOO_MANY = 4429
MOST_SOCKETS = 8  # of one user
_open: Counter[int] = Counter()


class DashboardConsumer(Telling):
    """Sends {"type": "dashboard", ...} with what changed of the page, at most twice a second.

    `hour` has the samples after `?since=`, the time of the last one that a page has; so a page that lost its
    socket is sent what it missed.
    """

    async def refusal(self) -> int:
        self._counted: int | None = None
        number = getattr(self.scope.get("user"), "pk", None)
        if number is None:
            return UNAUTHORISED
        if not await in_database(lambda: _is_welcome(number)):
            return FORBIDDEN
        if _open[number] >= MOST_SOCKETS:
            return TOO_MANY
        _open[number] += 1
        self._counted = number
        return 0

    async def disconnect(self, code: int) -> None:
        if self._counted is not None:
            _open[self._counted] -= 1
            self._counted = None
        await super().disconnect(code)

    async def tell(self) -> None:
        told: Page | None = None
        seen: Known | None = None
        since, look_at = _since(self.scope), 0.0
        while True:
            if seen is None or time.monotonic() >= look_at:
                seen, look_at = await in_database(self._look), time.monotonic() + LOOK_EVERY_S
            if seen is None:
                await self.close(FORBIDDEN)
                return
            now = page(seen)
            news = changed(told, now)
            if samples := HOUR.since(since):
                news["hour"], since = samples, samples[-1].at
            if news:
                await self.send(msgspec.json.encode({"type": "dashboard"} | news).decode())
            told = now
            await asyncio.sleep(TICK_S)

    def _look(self) -> Known | None:
        """What is on disk and in the database; None for a user who may not see it any more."""
        return known() if self._counted is not None and _is_welcome(self._counted) else None


def _is_welcome(number: int) -> bool:
    user = get_user_model().objects.filter(pk=number).first()
    return user is not None and may_look(user)


def changed(before: Page | None, now: Page) -> dict[str, Any]:
    """The pieces of the page that are not as they were."""
    names = Page.__struct_fields__
    return {name: getattr(now, name) for name in names if getattr(before, name, None) != getattr(now, name)}


def _since(scope: Any) -> float:
    """The time in the address; none where there is no sense in it."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", ["0"])[0]
    with contextlib.suppress(ValueError):
        if math.isfinite(at := float(asked)):
            return min(at, time.time())
    return 0.0
