"""The websocket that keeps a page's list of models live; it only tells, it never starts anything."""

import asyncio
import contextlib
import logging
import time
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer

from inference import live, runtime
from inference.access import visitor
from inference.live import LiveModel

logger = logging.getLogger(__name__)

UNAUTHORISED = 4401
TICK_S = 0.25
SCAN_EVERY_S = 5.0  # the disk changes when somebody adds a model, not four times a second
MAX_MESSAGES = 20  # what a client may say in a socket's life: there is nothing to say


class ModelsConsumer(AsyncWebsocketConsumer):
    """Sends {"type": "models", "models": [...]} at once and whenever it changes, at most 4 times a second."""

    async def connect(self) -> None:
        self._ticker: asyncio.Task[None] | None = None
        self._heard = 0
        if visitor(self.scope.get("user")) is None:
            await self.close(UNAUTHORISED)
            return
        await self.accept()
        self._ticker = asyncio.create_task(self._tick())

    async def disconnect(self, code: int) -> None:
        if self._ticker:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        self._heard += 1
        if self._heard > MAX_MESSAGES:
            await self.close(1008)

    async def _tick(self) -> None:
        try:
            await self._tell_changes()
        except Exception:
            logger.exception("The live list of models broke")
            await self.close(1011)

    async def _tell_changes(self) -> None:
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
