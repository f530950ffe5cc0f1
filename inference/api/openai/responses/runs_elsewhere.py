"""Responses in the background of other fronts: found by their claims, read and cancelled by messages."""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from inference.api.http import sse
from inference.api.openai.responses.background_runs import RUNS, BackgroundRuns
from inference.core.errors import Unavailable
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Body, Handlers
from inference.storage.database_threads import in_database
from inference.storage.response_store import UNFINISHED, Stored

_SHOW, _CANCEL, _FRAMES = "show_response", "cancel_response", "response"
_RETRY_S = 5.0


class RunElsewhere:
    """One response that another front is making."""

    def __init__(self, front: Front, holder: str, named: Body) -> None:
        self._front = front
        self._holder = holder
        self._named = named

    async def shown(self) -> dict[str, Any] | None:
        """The current response; None if only the stored one is known."""
        with suppress(RedisLost):
            whole: dict[str, Any] | None = await self._front.ask(self._holder, _SHOW, self._named)
            return whole
        return None

    async def cancel(self) -> dict[str, Any] | None:
        """End it with what it has; None where it has ended meanwhile. Raises Unavailable."""
        try:
            whole: dict[str, Any] | None = await self._front.ask(self._holder, _CANCEL, self._named)
        except RedisLost:
            raise unreachable() from None
        return whole

    async def frames(self, after: int) -> AsyncGenerator[bytes]:
        """Its events above this number; the stream breaks off without [DONE] where the other front does."""
        named = self._named | {"after": after}
        with suppress(RedisLost):
            async for piece in self._front.read_along(self._holder, _FRAMES, named):
                yield piece
            return
        yield sse.KEEP_ALIVE  # there is a stream, and it is not whole


class RunsElsewhere:
    """Finds the responses of other fronts, and answers other fronts about those of this one."""

    def __init__(
        self,
        runs: BackgroundRuns,
        find_front: Callable[[], Front | None] = current,
        handlers: Handlers = HANDLERS,
    ) -> None:
        self._runs = runs
        self._find_front = find_front
        handlers.questions |= {_SHOW: self._show, _CANCEL: self._cancel}
        handlers.sources[_FRAMES] = self._frames

    async def find(self, owner: str, response_id: str) -> RunElsewhere | None:
        """One that another front is making.

        Raises NotFound, and Unavailable for one that has not ended while the Redis is lost.
        """
        if not (front := self._find_front()):
            return None
        stored = await in_database(lambda: Stored(owner).find(response_id))
        if stored.body["status"] not in UNFINISHED:
            return None
        try:
            claim = (await self._runs.claims.elsewhere()).get(response_id)
        except RedisLost:
            raise unreachable() from None
        if claim is None or claim.about != owner:
            return None
        return RunElsewhere(front, claim.front, {"owner": owner, "id": response_id})

    async def _show(self, named: Body) -> dict[str, Any] | None:
        run = self._runs.find(named["owner"], named["id"])
        return await run.shown() if run else None

    async def _cancel(self, named: Body) -> dict[str, Any] | None:
        if run := self._runs.find(named["owner"], named["id"]):
            await run.cancel()
        return run.whole if run else None

    def _frames(self, named: Body) -> AsyncGenerator[bytes] | None:
        run = self._runs.find(named["owner"], named["id"])
        return run.frames(named["after"]) if run else None


def unreachable() -> Unavailable:
    """The error of what only the front can do that is out of reach."""
    return Unavailable(
        "The server that generates this response cannot be reached now; please try again.",
        retry_after=_RETRY_S,
    )


ELSEWHERE = RunsElsewhere(RUNS)
