"""The websocket that tells a page what changes in its visitor's conversations."""

import asyncio
import contextlib
import time

import msgspec

from inference.accounts.permissions import Account, visitor
from inference.api.http.live_socket import LOOK_EVERY_S, UNAUTHORISED, LiveSocket
from playground import page_account
from playground.changes import CHANGES, MISSED, Change, answering
from playground.permission import refusal_of_visitor
from playground.running_answers import RUNNING_ANSWERS


class ChatsConsumer(LiveSocket):
    """Sends each change as changes.py has it, and first that some may have been missed.

    After each such message it sends which conversations answer now. The address names the account that the
    page belongs to (`?account=5`, 0 for none): a page whose visitor has signed out, or in as somebody else,
    is refused.
    """

    _owner = ""

    def refusal_of(self, user: Account) -> int:
        principal = visitor(user)
        self._owner = principal.owner if principal else ""
        is_own = self.scope["query_string"] == f"account={page_account.number_of(user)}".encode()
        return refusal_of_visitor(user) if is_own else UNAUTHORISED

    async def send_changes(self) -> None:
        with CHANGES.listening(self._owner) as changes:
            await self._send_change(MISSED)  # what changed before it listened
            await self._pass_on(changes)

    async def _pass_on(self, changes: asyncio.Queue[Change]) -> None:
        """Send each change of the queue, until the visitor is refused."""
        look_at = time.monotonic() + LOOK_EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                left_s = max(0.0, look_at - time.monotonic())
                await self._send_change(await asyncio.wait_for(changes.get(), left_s))
            if time.monotonic() >= look_at:
                if refusal := await self.refusal():
                    await self.close(refusal)
                    return
                look_at = time.monotonic() + LOOK_EVERY_S

    async def _send_change(self, change: Change) -> None:
        await self.send(msgspec.json.encode(change).decode())
        if change is MISSED:
            await self._send_change(answering(await RUNNING_ANSWERS.claims.conversations_of(self._owner)))
