"""What keys and accounts use of their limits at all fronts of a site together, counted in the Redis.

While the Redis is lost, each front counts alone, as a site without one does: a limit may be exceeded by what
other fronts admit, and nobody is refused who may ask.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from inference.accounts.usage_meter import Left, UsageMeter
from inference.core.principal import Allowance
from inference.fronts import scripts
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Handlers


class SharedCounts:
    """The counts of all fronts, beside those of this one in its meters. Used on the event loop only."""

    def __init__(
        self, find_front: Callable[[], Front | None] = current, handlers: Handlers = HANDLERS
    ) -> None:
        self._find_front = find_front
        self._numbers = itertools.count()
        self._limited: dict[str, UsageMeter] = {}  # meters whose tokens all fronts count together
        self._streaming: dict[str, UsageMeter] = {}  # meters with streams, or whose end is not shared yet
        handlers.on_regained.append(self._restate)
        handlers.on_tick.append(self._send_tokens)

    async def count_request(self, name: str, meter: UsageMeter, allowance: Allowance) -> None:
        """Count one request; raises RateLimited when all fronts had too many in the last minute."""
        front, most = self._find_front(), allowance.requests_per_minute
        if front is None or most is None:
            meter.count_request(allowance)
            return
        number = f"{front.id}{next(self._numbers)}"
        try:
            found = await front.run_script(scripts.REQUEST, f"requests:{name}", args=(most, number))
        except RedisLost:
            meter.shared_requests = None
            meter.count_request(allowance)
            return
        is_admitted, remaining, wait_ms = map(int, map(float, found))
        meter.shared_requests = Left(limit=most, remaining=remaining, reset_s=wait_ms / 1000)
        if not is_admitted:
            raise meter.too_many_requests(most, wait_ms / 1000)
        meter.note_request()

    async def learn_tokens(self, name: str, meter: UsageMeter, allowance: Allowance) -> None:
        """Have the meter know what all fronts have used today, where that is limited."""
        front = self._find_front()
        if front is None or allowance.tokens_per_day is None:
            return
        self._limited[name] = meter
        with suppress(RedisLost):
            await _exchange(front, name, meter)

    @asynccontextmanager
    async def stream(self, name: str, meter: UsageMeter, allowance: Allowance) -> AsyncGenerator[None]:
        """Count a stream while the block runs; raises RateLimited when all fronts have too many."""
        front, most = self._find_front(), allowance.streams
        with meter.stream(allowance):
            if front is None:
                yield
                return
            self._streaming[name] = meter
            epoch = front.epoch
            is_counted = most is not None and await self._begin(front, name, meter, most)
            try:
                yield
            finally:
                # Before the stream ended, `_restate` may have counted it.
                if is_counted or front.epoch != epoch:
                    await asyncio.shield(front.spawn(self._end(front, name, meter)))

    async def _begin(self, front: Front, name: str, meter: UsageMeter, most: int) -> bool:
        try:
            has_begun = await front.run_script(
                scripts.BEGIN_STREAM, "fronts", f"streams:{name}", args=(front.id, most)
            )
        except RedisLost:
            return False
        if not has_begun:
            raise meter.too_many_streams(most)
        return True

    async def _end(self, front: Front, name: str, meter: UsageMeter) -> None:
        try:
            await front.run_script(scripts.END_STREAM, "fronts", f"streams:{name}", args=(front.id,))
        except RedisLost:
            return  # `_restate` says it
        if not meter.streams:
            self._streaming.pop(name, None)

    async def _send_tokens(self) -> None:
        """Tell the others of the tokens since the last time."""
        if front := self._find_front():
            for name, meter in list(self._limited.items()):
                if meter.has_unsent:
                    await _exchange(front, name, meter)

    async def _restate(self) -> None:
        """Say again how many streams this front has, after its lease or the Redis was lost."""
        if not (front := self._find_front()):
            return
        for name, meter in list(self._streaming.items()):
            count = (front.id, meter.streams)
            await front.run_script(scripts.SET_STREAMS, "fronts", f"streams:{name}", args=count)
            if not meter.streams:
                self._streaming.pop(name, None)


async def _exchange(front: Front, name: str, meter: UsageMeter) -> None:
    """Send what the meter has spent, and learn what all have; raises RedisLost."""
    known, new = meter.take_unsent()
    try:
        tokens = await front.run_script(scripts.SPEND, f"tokens:{name}:{meter.day}", args=(known, new))
    except RedisLost:
        meter.put_back(new)
        raise
    meter.note_sum(int(tokens))
