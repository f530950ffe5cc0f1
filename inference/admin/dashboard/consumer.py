"""The websocket that keeps the dashboard live."""

import asyncio
import contextlib
import math
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec

from inference.accounts.permissions import Account, may_look
from inference.admin.dashboard.page import DashboardPage, page, read_cache
from inference.api.http.live_socket import FORBIDDEN, TOO_MANY, UNAUTHORISED, LiveSocket
from inference.serving.usage_history import USAGE_HISTORY
from inference.storage.database_threads import in_database

__all__ = ["FORBIDDEN", "MAX_SOCKETS", "TOO_MANY", "UNAUTHORISED", "DashboardConsumer"]

TICK_S = 0.5
REFRESH_EVERY_S = 5.0  # of disk and database, and of the reader's permission
MAX_SOCKETS = 8  # of one user


class DashboardConsumer(LiveSocket):
    """Sends {"type": "dashboard", ...} with the parts of the page that changed, at most twice a second.

    `hour` has the samples after `?since=`, the time of the page's last sample, so a page that reconnects
    receives what it missed. Every REFRESH_EVERY_S the consumer checks the reader's permission again, reads
    disk and database again, and sends a message even when nothing changed.
    """

    most_sockets = MAX_SOCKETS

    def refusal_of(self, user: Account) -> int:
        if not user.is_authenticated:
            return UNAUTHORISED
        return 0 if may_look(user) else FORBIDDEN

    async def send_changes(self) -> None:
        sent: DashboardPage | None = None
        cache, refresh_at = await in_database(read_cache), time.monotonic() + REFRESH_EVERY_S
        since = _since(self.scope)
        while True:
            is_due = time.monotonic() >= refresh_at
            if is_due:
                if refusal := await self.refusal():
                    await self.close(refusal)
                    return
                cache, refresh_at = await in_database(read_cache), time.monotonic() + REFRESH_EVERY_S
            now = page(cache)
            changes = changed(sent, now)
            if samples := USAGE_HISTORY.since(since):
                changes["hour"], since = samples, samples[-1].at
            if changes or is_due:  # a page that receives nothing for long takes its connection for lost
                await self.send(msgspec.json.encode({"type": "dashboard"} | changes).decode())
            sent = now
            await asyncio.sleep(TICK_S)


def changed(before: DashboardPage | None, now: DashboardPage) -> dict[str, Any]:
    """The fields of the page that differ from `before`."""
    names = DashboardPage.__struct_fields__
    return {name: getattr(now, name) for name in names if getattr(before, name, None) != getattr(now, name)}


def _since(scope: Any) -> float:
    """The time in the URL, at most now; 0 where it is not a finite number."""
    since = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", ["0"])[0]
    with contextlib.suppress(ValueError):
        if math.isfinite(at := float(since)):
            return min(at, time.time())
    return 0.0
