"""The websocket that keeps the dashboard live."""

import asyncio
import contextlib
import math
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec

from inference.accounts.permissions import Account, may_look
from inference.admin.dashboard.page import Page, known, page
from inference.api.http.live_socket import FORBIDDEN, TOO_MANY, UNAUTHORISED, LiveSocket
from inference.serving.usage_history import USAGE_HISTORY
from inference.storage.database_threads import in_database

__all__ = ["FORBIDDEN", "MOST_SOCKETS", "TOO_MANY", "UNAUTHORISED", "DashboardConsumer"]

TICK_S = 0.5
LOOK_EVERY_S = 5.0  # at the disk, the database, and whether its reader is still staff
MOST_SOCKETS = 8  # of one user


class DashboardConsumer(LiveSocket):
    """Sends {"type": "dashboard", ...} with what changed of the page, at most twice a second.

    `hour` has the samples after `?since=`, the time of the last one that a page has; so a page that lost its
    socket is sent what it missed.
    """

    most_sockets = MOST_SOCKETS

    def judge(self, user: Account) -> int:
        if not user.is_authenticated:
            return UNAUTHORISED
        return 0 if may_look(user) else FORBIDDEN

    async def tell(self) -> None:
        told: Page | None = None
        seen, look_at = await in_database(known), time.monotonic() + LOOK_EVERY_S
        since = _since(self.scope)
        while True:
            is_due = time.monotonic() >= look_at
            if is_due:
                if refusal := await self.refusal():
                    await self.close(refusal)
                    return
                seen, look_at = await in_database(known), time.monotonic() + LOOK_EVERY_S
            now = page(seen)
            news = changed(told, now)
            if samples := USAGE_HISTORY.since(since):
                news["hour"], since = samples, samples[-1].at
            if news or is_due:  # a page that hears nothing for long takes its connection for lost
                await self.send(msgspec.json.encode({"type": "dashboard"} | news).decode())
            told = now
            await asyncio.sleep(TICK_S)


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
