"""Websockets that keep pages live; they only send, and never start anything."""

import asyncio
import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer

from inference.accounts.permissions import Account, signed_in
from inference.core.model_card import ModelCard
from inference.core.threads import CATALOG
from inference.serving import runtime
from inference.storage.database_threads import in_database

logger = logging.getLogger(__name__)

# Browsers see codes from 4000 on alone, and our pages do not come back after those that begin with 44.
UNAUTHORISED, FORBIDDEN, TOO_MANY_MESSAGES, TOO_MANY, BROKEN = 4401, 4403, 4400, 4429, 4500
TICK_S = 0.25
LOOK_EVERY_S = 5.0  # at the disk and at the permission of its reader: neither changes four times a second
MAX_MESSAGES = 20  # from a client in a socket's life: there is nothing to send
MOST_SOCKETS = 16  # of one visitor and kind: each looks at the pool four times a second
_open: Counter[tuple[type, Any]] = Counter()


class LiveSocket(AsyncWebsocketConsumer, ABC):
    """A websocket that sends what changes to users with the permission, and receives nothing.

    A visitor may have `most_sockets` of a kind open; on an open site all anonymous visitors are one.
    """

    most_sockets: ClassVar[int] = MOST_SOCKETS
    _place: tuple[type, Any] | None = None  # among its visitor's, once it has one

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:  # however it ends: a place that is never given back would lock its visitor out
            if self._place:
                _open[self._place] -= 1

    async def connect(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._received = 0
        refusal = await self.refusal()
        # Also one that is refused: a browser sees the reason only once its socket is open.
        await self.accept()
        if refusal:
            await self.close(refusal)
            return
        self._task = asyncio.create_task(self._send_until_closed())

    async def disconnect(self, code: int) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        self._received += 1
        if self._received > MAX_MESSAGES:
            await self.close(TOO_MANY_MESSAGES)

    async def refusal(self) -> int:
        """The code to close with, 0 while the visitor may listen; asked again while the socket is open."""
        key = getattr(self.scope.get("session"), "session_key", None)
        visitor, code = await in_database(lambda: self._visitor_and_refusal(signed_in(key)))
        return code or self._take_place(visitor)

    @abstractmethod
    def refusal_of(self, user: Account) -> int:
        """The same for the account that is signed in; it may query the database."""

    def _visitor_and_refusal(self, user: Account) -> tuple[Any, int]:
        return user.pk, self.refusal_of(user)

    def _take_place(self, visitor: Any) -> int:
        """Count it among its visitor's, if it is not yet."""
        if self._place is None:
            place = (type(self), visitor)
            if _open[place] >= self.most_sockets:
                return TOO_MANY
            _open[place] += 1
            self._place = place
        return 0

    @abstractmethod
    async def send_changes(self) -> None:
        """Send what changes, for ever."""

    async def _send_until_closed(self) -> None:
        try:
            await self.send_changes()
        except Exception:
            logger.exception("A live page broke")
            await self.close(BROKEN)


class LiveModelsSocket(LiveSocket):
    """Sends its payload about the models at once and whenever that changes, at most 4 times a second."""

    @abstractmethod
    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        """The message as of now, with these models on disk."""

    async def send_changes(self) -> None:
        sent: dict[str, Any] | None = None
        cards, look_at = await CATALOG.run(runtime.catalog().scan), time.monotonic() + LOOK_EVERY_S
        while True:
            if time.monotonic() >= look_at:
                if refusal := await self.refusal():
                    await self.close(refusal)
                    return
                cards = await CATALOG.run(runtime.catalog().scan)
                look_at = time.monotonic() + LOOK_EVERY_S
            if (now := self.payload(cards)) != sent:
                await self.send(msgspec.json.encode(now).decode())
                sent = now
            await asyncio.sleep(TICK_S)
