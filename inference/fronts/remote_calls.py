"""Questions to another front, and what it yields, read along piece by piece."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol

from inference.fronts.connection import RedisLost
from inference.fronts.handlers import Body, Handlers

logger = logging.getLogger(__name__)
_ANSWER_S = 20.0  # to store an answer that was stopped may take a while on a busy disk
_LOOK_S = 2.0  # at whether the other front lives
_MOST_PIECES = 1000  # that wait for a slow reader
_GONE = "the other front does not answer"


class Say(Protocol):
    def __call__(self, kind: str, body: Body, to: str = "") -> None: ...


class RemoteCalls:
    """The calls of one front to others, and those of others to it. Used on its event loop only."""

    def __init__(
        self, handlers: Handlers, say: Say, spawn: "Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]"
    ) -> None:
        self._handlers = handlers
        self._say = say
        self._spawn = spawn
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._read: dict[str, asyncio.Queue[Body]] = {}
        self._yielding: dict[str, asyncio.Task[Any]] = {}

    def takes(self, kind: str, sender: str, body: Body) -> bool:
        """Whether this message is part of a call; it is handled then."""
        match kind:
            case "ask":
                self._spawn(self._answer(sender, body))
            case "answer":
                self._note_answer(body)
            case "read":
                self._yielding[body["id"]] = self._spawn(self._yield_to(sender, body))
            case "unread":
                if task := self._yielding.pop(body["id"], None):
                    task.cancel()
            case "piece":
                self._note_piece(sender, body)
            case _:
                return False
        return True

    async def ask(self, front: str, kind: str, body: Body) -> Any:
        """What the other front answers; raises RedisLost."""
        number = secrets.token_hex(8)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._say("ask", {"id": number, "kind": kind, "body": body}, front)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._waiting[number]
        except TimeoutError:
            raise RedisLost(_GONE) from None
        finally:
            del self._waiting[number]

    async def read_along(
        self, front: str, kind: str, body: Body, is_living: Callable[[], bool]
    ) -> AsyncGenerator[bytes]:
        """What the other front yields; raises RedisLost where it breaks off."""
        number = secrets.token_hex(8)
        pieces = self._read[number] = asyncio.Queue(_MOST_PIECES)
        self._say("read", {"id": number, "kind": kind, "body": body}, front)
        try:
            while True:
                try:
                    async with asyncio.timeout(_LOOK_S):
                        piece = await pieces.get()
                except TimeoutError:
                    if not is_living():
                        raise RedisLost(_GONE) from None
                    continue
                if piece["data"]:
                    yield piece["data"]
                if piece["end"] == "broken":
                    raise RedisLost(_GONE)
                if piece["end"]:
                    return
        finally:
            del self._read[number]
            self._say("unread", {"id": number}, front)

    async def _answer(self, sender: str, body: Body) -> None:
        found = None
        try:
            found = await self._handlers.questions[body["kind"]](body["body"])
        except Exception:  # the boundary: the other front must not wait for nothing
            logger.exception("A question of another front could not be answered")
        self._say("answer", {"id": body["id"], "found": found}, sender)

    def _note_answer(self, body: Body) -> None:
        waiting = self._waiting.get(body["id"])
        if waiting and not waiting.done():
            waiting.set_result(body["found"])

    async def _yield_to(self, sender: str, body: Body) -> None:
        number, end = body["id"], "broken"
        try:
            if (source := self._handlers.sources[body["kind"]](body["body"])) is not None:
                async with aclosing(source) as pieces:
                    async for data in pieces:
                        self._say("piece", {"id": number, "data": data, "end": ""}, sender)
                end = "end"
        finally:
            self._yielding.pop(number, None)
            self._say("piece", {"id": number, "data": b"", "end": end}, sender)

    def _note_piece(self, sender: str, body: Body) -> None:
        if (pieces := self._read.get(body["id"])) is None:
            return
        if not pieces.full():
            pieces.put_nowait(body)
            return
        # Its reader is too slow, and begins again with everything that has arrived until then.
        self._say("unread", {"id": body["id"]}, sender)
        while not pieces.empty():
            pieces.get_nowait()
        pieces.put_nowait({"data": b"", "end": "broken"})
