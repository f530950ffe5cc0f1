"""This process as one of the fronts of its site: its lease, its messages, and whether the Redis answers."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from inference.fronts import connection, scripts
from inference.fronts.connection import Connection, RedisLost
from inference.fronts.handlers import HANDLERS, Body, Handlers
from inference.fronts.message_bus import Message, MessageBus, say_once
from inference.fronts.remote_calls import RemoteCalls

logger = logging.getLogger(__name__)
LEASE_S = 20.0  # after it, others hold a front that renewed nothing for ended
_RENEW_S = 3.0
_TICK_S = 0.5


class Front:
    """One of the processes that share a Redis. Made on the event loop; `run` it there.

    While the Redis is lost, `run_script` raises RedisLost at once, and messages are dropped; one task looks
    whether it is back. Each use decides what it does then (docs/fronts.md).
    """

    def __init__(self, address: str, layer: Any, handlers: Handlers = HANDLERS) -> None:
        self.id = secrets.token_hex(8)
        self.address = address
        self.epoch = 0  # counts how often the lease was won: at the start, and after each loss
        self.others: frozenset[str] = frozenset()  # that lived when the lease was renewed last
        self.why_lost = "it has not been checked yet"
        self.losses = 0  # how often it was lost after it had answered
        self._handlers = handlers
        self._prefix = connection.key_prefix()
        self._connection = Connection(address)
        self._bus = MessageBus(layer, self.id, self._receive, self._note_trouble)
        self._running: asyncio.Task[Any] | None = None
        self._is_closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._calls = RemoteCalls(handlers, self.say, self.spawn)
        self._renewed_at = 0.0

    @property
    def is_lost(self) -> bool:
        """Whether the Redis did not answer when it was asked last."""
        return bool(self.why_lost)

    def key(self, name: str) -> str:
        """The name of a key of this site."""
        return f"{self._prefix}{name}"

    async def run_script(self, script: str, *keys: str, args: "tuple[str | int, ...]" = ()) -> Any:
        """Run one of scripts.py on keys of this site; raises RedisLost."""
        if self.is_lost:
            raise RedisLost(self.why_lost)
        return await self._run(script, *keys, args=args)

    def say(self, kind: str, body: Body, to: str = "") -> None:
        """Tell the front `to`, or all others; from any thread, and without effect while the Redis is lost."""
        if not self.is_lost:
            self._bus.post({"kind": kind, "body": body}, to)

    async def ask(self, front: str, kind: str, body: Body) -> Any:
        """What another front answers; raises RedisLost where none comes."""
        if self.is_lost:
            raise RedisLost(self.why_lost)
        return await self._calls.ask(front, kind, body)

    def read_along(self, front: str, kind: str, body: Body) -> AsyncGenerator[bytes]:
        """What another front yields for this, from now on.

        Raises RedisLost where it breaks off, and where the other has nothing of the kind any more.
        """
        return self._calls.read_along(front, kind, body, lambda: not self.is_lost and front in self.others)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Do this beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self) -> None:
        """Hold the lease until `close`, or until this is cancelled."""
        self._running = asyncio.current_task()
        while not self._is_closed:  # the client of the Redis may keep a cancellation to itself
            try:
                await self._turn()
            except Exception:  # the boundary of this task: without it, nothing would be shared any more
                logger.exception("What is shared with other fronts could not be kept up; it is tried again")
            await asyncio.sleep(_TICK_S)

    async def _turn(self) -> None:
        if time.monotonic() - self._renewed_at >= _RENEW_S or self.is_lost:
            await self._renew()
        await self._tick()

    async def close(self) -> None:
        """Give the lease back, so that what this front held is free at once."""
        self._is_closed = True
        if self._running:
            self._running.cancel()  # first, or it would renew the lease
        with contextlib.suppress(RedisLost):
            await self.run_script(scripts.LEAVE, "fronts", args=(self.id,))
        for task in list(self._tasks):
            task.cancel()
        await self._bus.close()
        await self._connection.close()

    async def _renew(self) -> None:
        self._renewed_at = time.monotonic()
        try:
            lease = (self.id, int(LEASE_S * 1000))
            has_held, living = await self._run(scripts.RENEW, "fronts", args=lease)
            if not has_held or self.is_lost or self._bus.is_deaf:
                await self._regain()
        except RedisLost:
            return
        self.others = frozenset(living) - {self.id}
        self._bus.beat()

    async def _regain(self) -> None:
        """Listen, and say again what this front holds; raises RedisLost."""
        try:
            async with asyncio.timeout(3 * connection.TIMEOUT_S):
                await self._bus.listen()
        except Exception as error:  # the boundary of a foreign library
            self._note_trouble(error)
            raise RedisLost(self.why_lost) from None
        if self.epoch and self.is_lost:
            logger.warning("The Redis at %s answers again", settings.CONFIG.redis_address)
        self.why_lost = ""
        self.epoch += 1
        for restate in self._handlers.on_regained:
            await restate()

    async def _tick(self) -> None:
        for work in self._handlers.on_tick:
            if self.is_lost:
                return
            with contextlib.suppress(RedisLost):
                await work()

    async def _run(self, script: str, *keys: str, args: "tuple[str | int, ...]" = ()) -> Any:
        try:
            return await self._connection.run(script, [self.key(name) for name in keys], *args)
        except RedisLost as error:
            self._note_loss(str(error))
            raise

    def _receive(self, message: Message) -> None:
        kind, body = message["kind"], message.get("body", {})
        if self._calls.takes(kind, message["from"], body):
            return
        for handler in self._handlers.messages.get(kind, ()):
            handler(body)

    def _note_trouble(self, error: Exception) -> None:
        self._note_loss(connection.reason(error))

    def _note_loss(self, why: str) -> None:
        if not self.is_lost:
            self.losses += 1
            address = settings.CONFIG.redis_address
            logger.error("The Redis at %s (MLX_SERVER_REDIS_URL) is lost: %s", address, why)
        self.why_lost = why
        self._bus.forget_unsent()


_front: Front | None = None


def current() -> Front | None:
    """The front that this process is; None where it shares nothing."""
    return _front


async def live() -> None:
    """Be a front from now on, where a Redis is set, until `end`."""
    global _front
    if address := connection.url():
        _front = Front(address, get_channel_layer(connection.LAYER))
        await _front.run()


async def end() -> None:
    """Be none any more, so that what this front held is free at once."""
    global _front
    if _front:
        front, _front = _front, None
        await front.close()


def tell_others(kind: str, body: Body | None = None) -> None:
    """Tell all other fronts, from any thread, and from a command that is no front itself."""
    if front := current():
        front.say(kind, body or {})
    elif connection.url():
        try:
            say_once(get_channel_layer(connection.LAYER), {"kind": kind, "body": body or {}})
        except Exception as error:  # the boundary of a foreign library
            logger.warning("The running fronts were not notified (%s); they reload the data soon", kind)
            logger.debug("The Redis: %s", connection.reason(error))
