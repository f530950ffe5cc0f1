"""Django's CHANNEL_LAYERS: consumers have one in memory, and fronts one in the Redis that they share.

Fronts use pub/sub. What they say is worth something now or never, since the state is in the database and in
keys; so it needs no lists in the Redis that expire, and no group memberships that a dead front leaves there.
Consumers need no channel of another process: changes.py and the bus hand on what concerns them. With
channels_redis below them, each open page would end whenever the Redis does.
"""

from typing import Any

from inference.core.config import Config
from inference.fronts.connection import LAYER, TIMEOUT_S, key_prefix


def channel_layers(config: Config, secret_key: str) -> dict[str, Any]:
    """The layers by their names. Beyond this machine and without TLS, messages are encrypted."""
    layers: dict[str, Any] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    if config.redis_url is None:
        return layers
    timeouts = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    options: dict[str, Any] = {
        "hosts": [{"address": config.redis_url.get_secret_value(), **timeouts}],
        "prefix": key_prefix(secret_key),
    }
    if not config.is_redis_private:
        options["symmetric_encryption_keys"] = [secret_key]
    layers[LAYER] = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": options}
    return layers
