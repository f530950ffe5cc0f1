"""The channel layers for these settings."""

from inference.core.config import Config
from inference.fronts.channel_layers import channel_layers

SECRET = "s" * 40


def options(url: str) -> dict[str, object]:
    found: dict[str, object] = channel_layers(Config(redis_url=url), SECRET)["fronts"]["CONFIG"]
    return found


def test_consumers_need_no_redis() -> None:
    in_memory = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert channel_layers(Config(), SECRET) == in_memory
    assert channel_layers(Config(redis_url="redis://127.0.0.1"), SECRET).items() > in_memory.items()


def test_messages_are_encrypted_where_somebody_could_read_along() -> None:
    assert options("redis://10.0.0.5/0")["symmetric_encryption_keys"] == [SECRET]
    for private in ("redis://127.0.0.1/0", "unix:///run/redis.sock", "rediss://10.0.0.5/0"):
        assert "symmetric_encryption_keys" not in options(private)


def test_sites_that_share_a_redis_hear_nothing_of_each_other() -> None:
    other = channel_layers(Config(redis_url="redis://127.0.0.1"), "t" * 40)["fronts"]["CONFIG"]
    assert options("redis://127.0.0.1")["prefix"] != other["prefix"]
