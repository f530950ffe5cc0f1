"""Which conversations a response is being made in: one at a time, so that none misses another's items.

Fronts that share a Redis hold a conversation for all of them. While it is lost nobody knows whether another
front answers there, so no conversation is held and none is changed: its requests get 503.
"""

import json
from collections.abc import Callable
from typing import NoReturn

from inference.core.errors import ConversationLocked, Unavailable
from inference.fronts.claims import Claims
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers

_RETRY_S = 5.0


class Hold:
    """The right to one conversation, until it is released."""

    def __init__(self, holds: "dict[str, Hold]", name: str, claims: Claims) -> None:
        self._holds = holds
        self._name = name
        self._claims = claims
        self._is_released = False

    async def release(self) -> None:
        """Give it back; a second call does nothing, even where another response holds it by then."""
        if self._is_released:
            return
        self._is_released = True
        try:
            await self._claims.give_back(self._name)
        finally:  # here nobody may claim it before it is free at the others
            self._holds.pop(self._name, None)


class ConversationLocks:
    """The conversations that are in use, by owner and id. Used on the event loop only."""

    def __init__(
        self, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._holds: dict[str, Hold] = {}
        self._claims = Claims("conversation", find_front, handlers)

    async def hold(self, owner: str, conversation_id: str) -> Hold:
        """Raises ConversationLocked, and Unavailable while the Redis is lost."""
        name = _name(owner, conversation_id)
        if name in self._holds:
            _refuse()
        hold = self._holds[name] = Hold(self._holds, name, self._claims)
        try:
            is_free = await self._claims.take(name)
        except BaseException as error:
            await hold.release()
            if isinstance(error, RedisLost):
                raise _unknown() from None
            raise
        if not is_free:
            await hold.release()
            _refuse()
        return hold

    async def check(self, owner: str, conversation_id: str) -> None:
        """Raises ConversationLocked where a response is being made in it; Unavailable where nobody knows."""
        name = _name(owner, conversation_id)
        try:
            is_held = name in self._holds or name in await self._claims.elsewhere()
        except RedisLost:
            raise _unknown() from None
        if is_held:
            _refuse()


def _name(owner: str, conversation_id: str) -> str:
    return json.dumps([owner, conversation_id])


def _refuse() -> NoReturn:
    raise ConversationLocked(
        "Another response in this conversation is in progress; retry when it has ended.",
        param="conversation",
    )


def _unknown() -> Unavailable:
    return Unavailable(
        "The server cannot check now whether another response in this conversation is in progress; please "
        "try again.",
        retry_after=_RETRY_S,
    )


LOCKS = ConversationLocks()
