"""Limits that hold at all fronts together, with a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from inference.accounts.rate_limits import Limits
from inference.accounts.shared_counts import SharedCounts
from inference.core.errors import RateLimited
from inference.core.principal import Allowance, Principal
from inference.fronts import scripts
from inference.fronts.front import Front
from inference.fronts.handlers import Handlers
from tests.redis_server import RedisServer, front_of, needs_redis, redis_server, until

pytestmark = needs_redis


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def two(shared: RedisServer) -> AsyncIterator[list[tuple[Front, Limits]]]:
    """Two fronts, each with limits of its own."""
    made = []
    async with AsyncExitStack() as stack:
        for _ in range(2):
            handlers = Handlers()
            front = await stack.enter_async_context(front_of(shared, handlers))
            counts = SharedCounts(lambda front=front: front, handlers)  # type: ignore[misc]
            made.append((front, Limits(counts=counts)))
        yield made


def holder(**allowance: int) -> Principal:
    return Principal(kind="key", name="mlx-1", allowance=Allowance(**allowance))


async def test_requests_of_a_minute_are_those_of_all_fronts(two: list[tuple[Front, Limits]]) -> None:
    (_, here), (_, there) = two
    caller = holder(requests_per_minute=10)

    async def outcome(limits: Limits) -> bool:
        try:
            await limits.count_request(caller)
        except RateLimited as error:
            assert 0 < (error.retry_after or 0) <= 60
            return False
        return True

    outcomes = await asyncio.gather(*(outcome(limits) for limits in (here, there) for _ in range(15)))
    assert sum(outcomes) == 10
    assert not await outcome(here)  # of those at once, an earlier one may have been answered last
    assert here.of(caller).left(caller.allowance)["requests"].remaining == 0


async def test_streams_are_those_of_all_fronts_and_end_with_theirs(two: list[tuple[Front, Limits]]) -> None:
    (_, here), (other, there) = two
    caller = holder(streams=2)
    async with here.stream(caller):
        async with there.stream(caller):
            with pytest.raises(RateLimited, match="2 answers in progress at once"):
                await here.stream(caller).__aenter__()
        async with here.stream(caller):  # the end of the other one counts at once
            pass
        async with there.stream(caller):
            await other.run_script(scripts.LEAVE, "fronts", args=(other.id,))  # as if it had been killed
            async with here.stream(caller):
                pass


async def test_the_tokens_of_a_day_are_those_of_all_fronts(two: list[tuple[Front, Limits]]) -> None:
    (_, here), (_, there) = two
    caller = holder(tokens_per_day=100)
    here.of(caller).begin_day(datetime.now(UTC).date(), 40)  # of before, as the database has them
    async with here.stream(caller) as mine:
        assert mine
        mine.spend(30)
        await until(lambda: not mine.has_unsent)
        async with there.stream(caller) as theirs:
            assert theirs and theirs.tokens == 70
            theirs.spend(30)
            await until(lambda: not theirs.has_unsent)
        with pytest.raises(RateLimited, match="100 tokens of today"):
            await here.stream(caller).__aenter__()


async def test_without_the_redis_each_front_counts_alone_and_together_again_after_that(
    two: list[tuple[Front, Limits]], shared: RedisServer
) -> None:
    (front, here), (other, there) = two
    caller = holder(requests_per_minute=2, streams=1)
    await here.count_request(caller)
    async with here.stream(caller):
        shared.stop()
        await until(lambda: front.is_lost and other.is_lost)
        await here.count_request(caller)
        with pytest.raises(RateLimited):
            await here.count_request(caller)  # its own two count on
        await there.count_request(caller)
        with pytest.raises(RateLimited):
            await here.stream(caller).__aenter__()
        async with there.stream(caller):
            pass
        shared.start()
        await until(lambda: not front.is_lost and not other.is_lost)
        with pytest.raises(RateLimited):  # the stream here is known there again
            await there.stream(caller).__aenter__()
    async with there.stream(caller):
        pass
