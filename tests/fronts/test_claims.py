"""Claims of fronts that share a real Redis: one holder at a time, and none outlives its front."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.fronts import scripts
from inference.fronts.claims import Claim, Claims
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front
from inference.fronts.handlers import Handlers
from tests.redis_server import RedisServer, front_of, needs_redis, redis_server, until

pytestmark = needs_redis


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def claims_of(kind: str, front: Front) -> Claims:
    return Claims(kind, lambda: front, Handlers())


async def test_without_a_redis_every_name_is_free() -> None:
    claims = Claims("thing", lambda: None, Handlers())
    assert await claims.take("a") and await claims.elsewhere() == {}
    await claims.give_back("a")


async def test_a_name_has_one_holder_until_it_is_given_back(shared: RedisServer) -> None:
    async with front_of(shared) as here, front_of(shared) as there:
        mine, theirs = claims_of("thing", here), claims_of("thing", there)
        assert await mine.take("a", "about") and await mine.take("b")
        assert not await theirs.take("a")
        assert await theirs.elsewhere() == {"a": Claim(here.id, "about"), "b": Claim(here.id)}
        assert await mine.elsewhere() == {}
        await theirs.give_back("a")  # it is not theirs
        assert not await theirs.take("a")
        await mine.give_back("a")
        assert await theirs.take("a")


async def test_a_claim_ends_with_the_lease_of_its_front(shared: RedisServer) -> None:
    async with front_of(shared) as here, front_of(shared) as there:
        mine, theirs = claims_of("leased", here), claims_of("leased", there)
        assert await theirs.take("a")
        await there.run_script(scripts.LEAVE, "fronts", args=(there.id,))  # as if it had renewed nothing
        assert await mine.elsewhere() == {}
        assert await mine.take("a")


async def test_after_a_loss_a_front_says_again_what_it_holds(tmp_path: Path) -> None:
    handlers = Handlers()
    with redis_server(tmp_path) as server:
        async with front_of(server, handlers) as here, front_of(server) as there:
            mine = Claims("thing", lambda: here, handlers)
            theirs = Claims("thing", lambda: there, Handlers())
            assert await mine.take("kept") and await mine.take("ended")
            server.stop()
            await until(lambda: here.is_lost and there.is_lost)
            await mine.give_back("ended")
            with pytest.raises(RedisLost):
                await mine.take("begun")
            server.start()
            await until(lambda: not here.is_lost and not there.is_lost)
            assert (await theirs.elsewhere()).keys() == {"kept", "begun"}
