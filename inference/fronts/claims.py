"""Names that one front holds at a time, such as the conversation in which it makes an answer."""

from collections.abc import Callable

from msgspec import Struct

from inference.fronts import scripts
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers

_ID = 16  # characters of a front's id


class Claim(Struct, frozen=True):
    """Who holds a name, and what that front says of it."""

    front: str
    about: str = ""


class Claims:
    """The claims of one kind. One ends with the lease of its front. Used on the event loop only.

    Without a Redis, every name is free: each process knows itself what it does.
    """

    def __init__(
        self, kind: str, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._key = f"claims:{kind}"
        self._find_front = find_front
        self._mine: dict[str, str] = {}
        handlers.on_regained.append(self._restate)

    async def take(self, name: str, about: str = "") -> bool:
        """Claim a name that this front does not hold; False where another one does.

        Raises RedisLost; the name counts as claimed then, and is once the Redis is back, unless it was taken.
        """
        self._mine[name] = about
        if front := self._find_front():
            has_taken = await front.run_script(
                scripts.TAKE, "fronts", self._key, args=(front.id, name, about)
            )
            if not has_taken:
                self._mine.pop(name, None)
                return False
        return True

    async def give_back(self, name: str) -> None:
        """Let others have it; where the Redis is lost, once it is back."""
        self._mine.pop(name, None)
        front = self._find_front()
        if front is None:
            return
        try:
            await front.run_script(scripts.GIVE_BACK, "fronts", self._key, args=(front.id, name))
        except RedisLost:
            return  # `_restate` does not name it

    async def elsewhere(self) -> dict[str, Claim]:
        """What other fronts that live hold now; raises RedisLost."""
        front = self._find_front()
        if front is None:
            return {}
        found = await front.run_script(scripts.HELD, "fronts", self._key)
        claims = dict(zip(found[::2], found[1::2], strict=True))
        return {
            name: Claim(value[:_ID], value[_ID:])
            for name, value in claims.items()
            if not value.startswith(front.id)
        }

    async def _restate(self) -> None:
        """Say again what this front holds, after its lease or the Redis was lost."""
        if front := self._find_front():
            named = [text for pair in self._mine.items() for text in pair]
            await front.run_script(scripts.RESTATE, "fronts", self._key, args=(front.id, *named))
