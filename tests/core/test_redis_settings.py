"""The setting for the Redis: one line says what is wrong, and never the password."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from inference.core import config as module
from inference.core import redis_settings
from inference.core.config import Config
from tests.each import each


@each(
    ("url", "shown", "is_private"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0", True),
        ("redis://:p%40ss@localhost", "redis://localhost", True),
        ("redis://me:s3cret@10.0.0.5:6380/2?health_check_interval=5", "redis://10.0.0.5:6380/2", False),
        ("rediss://me:s3cret@redis.example/1", "rediss://redis.example/1", True),
        ("unix:///run/redis/redis.sock?db=3", "unix:///run/redis/redis.sock", True),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str, is_private: bool) -> None:
    config = Config(redis_url=url)
    assert (config.redis_address, config.is_redis_private) == (shown, is_private)
    assert "s3cret" not in repr(config)


def test_without_one_nothing_is_shared() -> None:
    assert Config().redis_url is None
    assert Config().redis_address == ""


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "127.0.0.1:6379",
            "http://:s3cret@127.0.0.1",
            " redis://:s3cret@127.0.0.1",
            "redis://:s3cret@/0",
        ),
        *(
            "redis://:s3cret@host:99999",
            "redis://:s3cret@host:0",
            "redis://:s3cret@host/x",
            "unix://:s3cret@",
        ),
    ],
)
def test_a_wrong_value_is_named_without_being_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_SERVER_REDIS_URL", url)
    module.config.cache_clear()
    try:
        with pytest.raises(ImproperlyConfigured) as caught:
            module.config()
    finally:
        monkeypatch.undo()
        module.config.cache_clear()
    assert str(caught.value).startswith("MLX_SERVER_REDIS_URL: ")
    assert "s3cret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_package_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_settings, "_LIBRARY", "no_such_package")
    with pytest.raises(ValueError, match=r"\.\[redis\]"):
        Config(redis_url="redis://127.0.0.1")
