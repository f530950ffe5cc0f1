"""The answers in progress at all fronts of this site, by their claims, and the news of which go on.

While the Redis is lost nobody knows which answers go on elsewhere: one that the database has as in progress
counts as such, and pages read it again until somebody knows.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from msgspec import Struct

from inference.fronts.claims import Claims
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers
from playground.changes import CHANGES, MISSED, answering

_ANSWERING = "answering"  # what fronts tell each other


class AnswerElsewhere(Struct, frozen=True):
    """An answer that another front is making."""

    front: str
    owner: str
    conversation: str


class AnswerClaims:
    """What this front answers is claimed here. `local` has the conversations of an owner that it answers in.

    Used on the event loop only.
    """

    def __init__(
        self,
        local: Callable[[str], list[str]],
        find_front: Callable[[], Front | None] = current,
        handlers: Handlers = HANDLERS,
    ) -> None:
        self._local = local
        self._find_front = find_front
        self._claims = Claims("answer", find_front, handlers)
        self._changed: set[str] = set()
        self._publishing: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        handlers.on(_ANSWERING, lambda body: self._publish_soon(body["owner"]))
        handlers.on_regained.append(self._tell_all)

    async def take(self, message: int, owner: str, conversation: str) -> bool:
        """Claim an answer that begins; False where another front is making it.

        While the Redis is lost the answer begins unclaimed, and is claimed once it is back.
        """
        with suppress(RedisLost):
            return await self._claims.take(str(message), json.dumps([owner, conversation]))
        return True

    def end(self, message: int, owner: str) -> None:
        """It has ended and is saved."""
        if self._find_front() is None:
            self.publish(owner)
            return
        task = asyncio.create_task(self._end(message, owner))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def elsewhere(self) -> dict[int, AnswerElsewhere]:
        """The answers of other fronts by their messages; raises RedisLost."""
        found = await self._claims.elsewhere()
        return {
            int(name): AnswerElsewhere(claim.front, *json.loads(claim.about)) for name, claim in found.items()
        }

    async def among(self, messages: Iterable[int]) -> frozenset[int]:
        """Those of these messages that are answered elsewhere; all of them while nobody knows."""
        wanted = frozenset(messages)
        if not wanted or self._find_front() is None:
            return frozenset()
        try:
            return wanted & (await self.elsewhere()).keys()
        except RedisLost:
            return wanted

    async def of(self, owner: str) -> list[AnswerElsewhere]:
        """The owner's answers at other fronts, as far as they are known."""
        try:
            return [one for one in (await self.elsewhere()).values() if one.owner == owner]
        except RedisLost:
            return []

    async def conversations_of(self, owner: str) -> list[str]:
        """The ids of the conversations in which the owner's answers are in progress, at any front."""
        return sorted({*self._local(owner), *(one.conversation for one in await self.of(owner))})

    def publish(self, owner: str) -> None:
        """Have the owner's pages learn in which conversations answers go on now, at any front."""
        if front := self._find_front():
            front.say(_ANSWERING, {"owner": owner})
            self._publish_soon(owner)
        else:
            CHANGES.publish(owner, answering(self._local(owner)))

    def _publish_soon(self, owner: str) -> None:
        """One after the other, so that what is published last was read last."""
        self._changed.add(owner)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish_all())

    async def _publish_all(self) -> None:
        while self._changed:
            owner = self._changed.pop()
            CHANGES.publish(owner, answering(await self.conversations_of(owner)))

    async def _end(self, message: int, owner: str) -> None:
        await self._claims.give_back(str(message))
        self.publish(owner)

    async def _tell_all(self) -> None:
        """Messages of other fronts were lost with the Redis: every page reloads everything."""
        CHANGES.publish_to_all(MISSED)


def read_as_answering(messages: Iterable[dict[str, Any]]) -> list[int]:
    """The ids of those that were read as in progress."""
    return [one["id"] for one in messages if one["status"] == "answering"]
