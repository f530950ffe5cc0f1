"""Websockets that keep pages live; they only tell, they never start anything."""

import asyncio
import contextlib
import logging
import time
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer

from inference import live, runtime
from inference.access import acheck_may_chat, visitor
from inference.errors import PermissionDenied
from inference.live import LiveModel

logger = logging.getLogger(__name__)

UNAUTHORISED, FORBIDDEN = 4401, 4403
TICK_S = 0.25
SCAN_EVERY_S = 5.0  # the disk changes when somebody adds a model, not four times a second
MAX_MESSAGES = 20  # what a client may say in a socket's life: there is nothing to say


class Telling(AsyncWebsocketConsumer):
    """A websocket that tells whoever may hear it what changes, and hears nothing."""

    async def connect(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._heard = 0
        if refusal := await self.refusal():
            await self.close(refusal)
            return
        await self.accept()
        self._task = asyncio.create_task(self._tell_on())

    async def disconnect(self, code: int) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        self._heard += 1
        if self._heard > MAX_MESSAGES:
            await self.close(1008)

    async def refusal(self) -> int:
        """The code to close with at once; 0 for who may hear."""
        raise NotImplementedError("a subclass says who may hear")

    async def tell(self) -> None:
        """Send what changes, for ever."""
        raise NotImplementedError("a subclass says what it tells")

    async def _tell_on(self) -> None:
        try:
            await self.tell()
        except Exception:
            logger.exception("A live page broke")
            await self.close(1011)


class ModelsConsumer(Telling):
    """Sends {"type": "models", "models": [...]} at once and whenever it changes, at most 4 times a second."""

    async def refusal(self) -> int:
        user = self.scope.get("user")
        if visitor(user) is None:
            return UNAUTHORISED
        try:
            await acheck_may_chat(user)
        except PermissionDenied:
            return FORBIDDEN
        return 0

    async def tell(self) -> None:
        told: tuple[LiveModel, ...] | None = None
        cards, scanned = await asyncio.to_thread(runtime.catalog().scan), time.monotonic()
        while True:
            if time.monotonic() - scanned > SCAN_EVERY_S:
                cards, scanned = await asyncio.to_thread(runtime.catalog().scan), time.monotonic()
            now = live.joined(cards, runtime.pool().snapshot())
            if now != told:
                await self.send(msgspec.json.encode({"type": "models", "models": now}).decode())
                told = now
            await asyncio.sleep(TICK_S)
