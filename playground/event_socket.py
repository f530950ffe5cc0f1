"""A websocket that passes on events, as long as its visitor may chat."""

import asyncio
import contextlib
import time
from typing import Any

import msgspec

from inference.accounts.permissions import Account, check_may_chat, visitor
from inference.api.http.live_socket import FORBIDDEN, LOOK_EVERY_S, UNAUTHORISED, LiveSocket
from inference.core.errors import PermissionDenied


def refusal_of_visitor(user: Account) -> int:
    """The code for an account that may not chat, else 0."""
    if visitor(user) is None:
        return UNAUTHORISED
    try:
        check_may_chat(user)
    except PermissionDenied:
        return FORBIDDEN
    return 0


class EventSocket(LiveSocket):
    """A LiveSocket whose changes come from a queue."""

    async def pass_on(self, events: "asyncio.Queue[dict[str, Any]]") -> None:
        """Send each event of the queue, until the visitor is refused."""
        look_at = time.monotonic() + LOOK_EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                await self.send_event(
                    await asyncio.wait_for(events.get(), max(0.0, look_at - time.monotonic()))
                )
            if time.monotonic() >= look_at:
                if refusal := await self.refusal():
                    await self.close(refusal)
                    return
                look_at = time.monotonic() + LOOK_EVERY_S

    async def send_event(self, event: dict[str, Any]) -> None:
        await self.send(msgspec.json.encode(event).decode())
