"""The websocket that tells a page what changes in its visitor's conversations."""

import asyncio
import contextlib
import time

import msgspec

from inference.accounts.permissions import Account, check_may_chat, visitor
from inference.api.http.live_socket import FORBIDDEN, LOOK_EVERY_S, UNAUTHORISED, LiveSocket
from inference.core.errors import PermissionDenied
from playground import page_account
from playground.changes import CHANGES, MISSED, Change


class ChatsConsumer(LiveSocket):
    """Sends each change as changes.py has it, and first that some may have been missed.

    The address names the account that the page belongs to (`?account=5`, 0 for none): a page whose visitor
    has signed out, or in as somebody else, is refused.
    """

    _account: int | None = None

    def refusal_of(self, user: Account) -> int:
        self._account = user.pk
        is_own = self.scope["query_string"] == f"account={page_account.number_of(user)}".encode()
        if visitor(user) is None or not is_own:
            return UNAUTHORISED
        try:
            check_may_chat(user)
        except PermissionDenied:
            return FORBIDDEN
        return 0

    async def send_changes(self) -> None:
        with CHANGES.listening(self._account) as changes:
            await self._send(MISSED)  # what changed before it listened
            look_at = time.monotonic() + LOOK_EVERY_S
            while True:
                with contextlib.suppress(TimeoutError):
                    pause = max(0.0, look_at - time.monotonic())
                    await self._send(await asyncio.wait_for(changes.get(), pause))
                if time.monotonic() >= look_at:
                    if refusal := await self.refusal():
                        await self.close(refusal)
                        return
                    look_at = time.monotonic() + LOOK_EVERY_S

    async def _send(self, change: Change) -> None:
        await self.send(msgspec.json.encode(change).decode())
