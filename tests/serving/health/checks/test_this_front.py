"""What the health page of a front says of the Redis, at once and without asking it."""

import asyncio
from pathlib import Path
from typing import Any

from inference.core.config import Config
from inference.fronts import front
from inference.fronts.channel_layers import channel_layers
from inference.serving.health.checks import shared_redis, this_front
from tests.redis_server import PASSWORD, needs_redis, redis_server, until

pytestmark = needs_redis


def is_lost() -> bool:
    this = front.current()
    return this is not None and this.is_lost


async def test_a_front_says_that_it_has_lost_the_redis_and_has_it_again(
    tmp_path: Path, settings: Any
) -> None:
    assert list(this_front.check()) == []
    with redis_server(tmp_path) as server:
        settings.CONFIG = Config(redis_url=server.url)
        settings.CHANNEL_LAYERS = channel_layers(settings.CONFIG, settings.SECRET_KEY)
        living = asyncio.create_task(front.live())
        await until(lambda: front.current() and not is_lost())
        (good,) = this_front.check()
        server.stop()
        await until(is_lost)
        (wrong,) = this_front.check()
        assert list(shared_redis.check()) == []  # one row is enough
        server.start()
        await until(lambda: not is_lost())
        assert list(this_front.check()) == [good]
        this = front.current()
        assert this and this.losses == 1
        await front.end()
        await asyncio.wait([living])
    assert good.state == "good" and good.text.endswith("fronts of this site that run: 1")
    assert wrong.state == "wrong" and "MLX_SERVER_REDIS_URL" in wrong.advice
    assert all(server.shown in one.text and PASSWORD not in one.text + one.advice for one in (good, wrong))
