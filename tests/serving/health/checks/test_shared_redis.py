"""What the health page and doctor say of the Redis."""

from pathlib import Path

from django.conf import settings
from django.test import override_settings

from inference.core.config import Config
from inference.serving.health.checks import shared_redis
from tests.redis_server import PASSWORD, needs_redis, redis_server

pytestmark = needs_redis


def test_nothing_without_one() -> None:
    assert settings.CONFIG.redis_url is None
    assert list(shared_redis.check()) == []


def test_one_that_answers_is_good_and_one_that_does_not_is_wrong(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        config = Config(redis_url=server.url)
        with override_settings(CONFIG=config):
            (good,) = shared_redis.check()
    with override_settings(CONFIG=config):
        (wrong,) = shared_redis.check()
    assert good.state == "good" and good.text.endswith("fronts of this site that run: 0")
    assert wrong.state == "wrong" and "MLX_SERVER_REDIS_URL" in wrong.advice
    assert all(server.shown in one.text and PASSWORD not in one.text + one.advice for one in (good, wrong))
