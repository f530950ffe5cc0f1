"""Fronts that share a real Redis: their leases and messages, and what they notice of its loss."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from inference.core.config import Config
from inference.fronts import connection, front, scripts
from inference.fronts.channel_layers import channel_layers
from inference.fronts.connection import RedisLost
from inference.fronts.handlers import Handlers
from inference.fronts.message_bus import say_once
from tests.redis_server import PASSWORD, RedisServer, front_of, needs_redis, redis_server, until

pytestmark = needs_redis


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def hearing() -> tuple[Handlers, list[Any]]:
    handlers = Handlers()
    heard: list[Any] = []
    handlers.on("news", heard.append)
    return handlers, heard


async def test_a_front_is_heard_by_all_others_or_by_one_and_never_by_itself(shared: RedisServer) -> None:
    (mine, heard), (theirs, heard_there) = hearing(), hearing()
    async with front_of(shared, mine) as here, front_of(shared, theirs) as there:
        here.say("news", {"to": "all"})
        here.say("news", {"to": "one"}, there.id)
        await asyncio.to_thread(here.say, "news", {"from": "a thread"})
        await until(lambda: len(heard_there) == 3)
        assert heard_there == [{"to": "all"}, {"to": "one"}, {"from": "a thread"}]
        assert heard == []


async def test_a_command_that_is_no_front_is_heard_by_all(shared: RedisServer) -> None:
    handlers, heard = hearing()
    async with front_of(shared, handlers):
        layer = RedisPubSubChannelLayer(hosts=[shared.url], prefix="tests")
        await asyncio.to_thread(say_once, layer, {"kind": "news", "body": {"from": "a command"}})
        await until(lambda: heard == [{"from": "a command"}])


async def test_fronts_know_each_other_and_a_closed_one_is_forgotten_at_once(shared: RedisServer) -> None:
    async with front_of(shared) as here:
        async with front_of(shared) as there:
            lease = await there.run_script(scripts.RENEW, "fronts", args=(there.id, 5000))
            assert lease[0] == 1 and {here.id, there.id} <= set(lease[1])
        living = (await here.run_script(scripts.RENEW, "fronts", args=(here.id, 5000)))[1]
        assert here.id in living and there.id not in living


async def test_a_front_answers_and_is_read_along(shared: RedisServer) -> None:
    async def doubled(body: dict[str, Any]) -> Any:
        return {"twice": 2 * body["number"]}

    async def counting(body: dict[str, Any]) -> Any:
        for number in range(body["most"]):
            yield str(number).encode()

    theirs = Handlers()
    theirs.questions["double"] = doubled
    theirs.sources |= {"count": counting, "nothing": lambda body: None}
    async with front_of(shared) as here, front_of(shared, theirs) as there:
        assert await here.ask(there.id, "double", {"number": 21}) == {"twice": 42}
        pieces = [one async for one in here.read_along(there.id, "count", {"most": 500})]
        assert pieces == [str(number).encode() for number in range(500)]
        with pytest.raises(RedisLost):
            [one async for one in here.read_along(there.id, "nothing", {})]
        with pytest.raises(RedisLost):  # of a front that never was
            [one async for one in here.read_along("0" * 16, "count", {"most": 1})]


async def test_a_lost_redis_is_noticed_once_and_its_return_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    mine, heard = hearing()
    regained = 0

    async def note() -> None:
        nonlocal regained
        regained += 1

    mine.on_regained.append(note)
    with redis_server(tmp_path) as server:
        async with front_of(server, mine) as here, front_of(server) as other:
            server.stop()
            await until(lambda: here.is_lost and other.is_lost)
            for _ in range(3):
                with pytest.raises(RedisLost, match="cannot be connected to"):
                    await here.run_script(scripts.LEAVE, "fronts", args=("nobody",))
            other.say("news", {"never": "heard"})
            await asyncio.sleep(1.2)
            server.start()
            await until(lambda: not here.is_lost and not other.is_lost)
            other.say("news", {"is": "back"})
            await until(lambda: bool(heard))
            assert heard == [{"is": "back"}]
            assert regained == here.epoch == 2
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("inference.fronts")]
    lost = [text for text in ours if "is lost" in text]
    assert len(lost) == 2  # one of each front
    assert PASSWORD not in caplog.text


async def test_a_redis_that_hangs_is_lost_after_seconds_and_not_asked_again(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        async with front_of(server) as here:
            with server.hung():
                with pytest.raises(RedisLost, match="does not answer within 5 s"):
                    await here.run_script(scripts.LEAVE, "fronts", args=("nobody",))
                with pytest.raises(RedisLost):  # at once from now on
                    async with asyncio.timeout(0.2):
                        await here.run_script(scripts.LEAVE, "fronts", args=("nobody",))
            await until(lambda: not here.is_lost)


async def test_this_process_is_a_front_from_the_start_to_the_end(shared: RedisServer, settings: Any) -> None:
    await front.live()  # without a setting
    assert front.current() is None
    settings.CONFIG = Config(redis_url=shared.url)
    settings.CHANNEL_LAYERS = channel_layers(settings.CONFIG, settings.SECRET_KEY)
    living = asyncio.create_task(front.live())
    await until(lambda: (here := front.current()) and not here.is_lost)
    here = front.current()
    assert here and connection.fronts(shared.url) == 1
    await front.end()
    assert front.current() is None and connection.fronts(shared.url) == 0
    await asyncio.wait([living])
