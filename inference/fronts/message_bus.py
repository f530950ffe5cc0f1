"""Messages between fronts, over the channel layer of channels_redis."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

logger = logging.getLogger(__name__)
_ALL = "fronts"
_MOST_WAITING = 10_000  # messages that were not sent yet; the Redis is as good as lost then
_BEAT = "beat"
_STOP_S = 5.0
_SILENT_S = 20.0  # without a beat of its own, a front does not hear the others either
Message = dict[str, Any]


class MessageBus:
    """Sends in order, and hands each message of another front to `on_message`.

    `post` is safe from any thread. What cannot be sent is lost: `on_trouble` is called, and whoever needs to
    know reads the state anew once the Redis is back.
    """

    def __init__(
        self,
        layer: Any,
        name: str,
        on_message: Callable[[Message], None],
        on_trouble: Callable[[Exception], None],
    ) -> None:
        self._layer = layer
        self._name = name
        self._on_message = on_message
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._unsent: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(_MOST_WAITING)
        self._channel = ""
        self._receiving: asyncio.Task[None] | None = None
        self._sending = asyncio.create_task(self._send_all())
        self._heard_at = 0.0

    async def listen(self) -> None:
        """Subscribe, also again; raises the errors of the layer."""
        await self._layer.flush()
        await self._stop_receiving()
        self._channel = await self._layer.new_channel()
        await self._layer.group_add(_ALL, self._channel)
        await self._layer.group_add(f"{_ALL}.{self._name}", self._channel)
        self._heard_at = time.monotonic()
        self._receiving = asyncio.create_task(self._receive_all())

    @property
    def is_deaf(self) -> bool:
        """Whether not even its own beats have come for a while."""
        return time.monotonic() - self._heard_at > _SILENT_S

    def beat(self) -> None:
        self.post({"kind": _BEAT}, to=self._name)

    def post(self, message: Message, to: str = "") -> None:
        """Send to the front `to`, or to all others."""
        if threading.get_ident() == self._thread:
            self._put(message, to)
        else:
            self._loop.call_soon_threadsafe(self._put, message, to)

    def forget_unsent(self) -> None:
        """Drop what waits: it says what was, and its readers will read what is."""
        while not self._unsent.empty():
            self._unsent.get_nowait()

    async def close(self) -> None:
        """Send what waits, for a moment, and unsubscribe."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._unsent.join()
        self._sending.cancel()
        with suppress(Exception):  # the boundary of a foreign library, at the end
            await self._layer.flush()
        await self._stop_receiving()

    def _put(self, message: Message, to: str) -> None:
        group = f"{_ALL}.{to}" if to else _ALL
        try:
            self._unsent.put_nowait((group, {"type": "front", "from": self._name, **message}))
        except asyncio.QueueFull as error:
            self._on_trouble(error)

    async def _send_all(self) -> None:
        while True:
            group, message = await self._unsent.get()
            try:
                await self._layer.group_send(group, message)
            except Exception as error:  # the boundary of a foreign library: it raises that of its connection
                self._on_trouble(error)
            finally:
                self._unsent.task_done()

    async def _receive_all(self) -> None:
        while True:
            message = await self._layer.receive(self._channel)
            self._heard_at = time.monotonic()
            if message["from"] == self._name:
                continue
            try:
                self._on_message(message)
            except Exception:  # the boundary: one message must not end the reading of the others
                logger.exception("A message of another front could not be handled")

    async def _stop_receiving(self) -> None:
        if not self._receiving:
            return
        self._receiving.cancel()
        # The layer may keep the cancellation from the task, and a task that is awaited hands on its own.
        ended, _ = await asyncio.wait([self._receiving], timeout=_STOP_S)
        for task in ended:
            if not task.cancelled() and (error := task.exception()):
                logger.debug("The receiving of messages ended: %s", type(error).__name__)
        self._receiving = None


def say_once(layer: Any, message: Message) -> None:
    """Send to all fronts from a process that is none, such as a command; raises what the layer does."""
    from asgiref.sync import async_to_sync

    async_to_sync(layer.group_send)(_ALL, {"type": "front", "from": "", **message})
