"""Connections to the Redis that the fronts of a site share; whatever fails there is a RedisLost."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:  # the packages are an optional part
    from redis import Redis

LAYER = "fronts"  # among CHANNEL_LAYERS
TIMEOUT_S = 5.0  # to connect, and for an answer, which takes a millisecond where nothing is busy


class RedisLost(Exception):
    """The Redis does not answer, or refuses; the text has no address and no password."""


def url() -> str:
    """The address with its password; empty without the setting."""
    given = settings.CONFIG.redis_url
    return str(given.get_secret_value()) if given else ""


def key_prefix(secret_key: str = "") -> str:
    """What the names of this site's keys begin with; `secret_key` where the settings are not there yet.

    Fronts of one site have one secret key, so other sites in the same Redis have another prefix.
    """
    made = salted_hmac("inference.fronts", "prefix", secret=secret_key or None, algorithm="sha256")
    return f"mlxsite:{made.hexdigest()[:12]}:"


class Connection:
    """Scripts for the Redis, on the event loop that runs the first one."""

    def __init__(self, address: str) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        # One more try: a Redis that was started again has closed the connections that are kept here.
        self._redis = Redis.from_url(
            address,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._scripts: dict[str, Any] = {}

    async def run(self, script: str, keys: Sequence[str], *arguments: str | int) -> Any:
        """Run a Lua script, which is one step for all fronts; raises RedisLost."""
        from redis.exceptions import RedisError

        made = self._scripts.get(script) or self._scripts.setdefault(
            script, self._redis.register_script(script)
        )
        try:
            return await made(keys=list(keys), args=list(arguments))
        except (RedisError, OSError) as error:
            raise RedisLost(reason(error)) from None

    async def close(self) -> None:
        await self._redis.aclose()


def blocking(address: str) -> "Redis":
    """A client for threads."""
    from redis import Redis

    return Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def problem(address: str) -> str:
    """Why the Redis at this address cannot be used; empty where it can. It blocks, for seconds at most."""
    from redis.exceptions import RedisError

    try:
        with blocking(address) as client:
            client.set(f"{key_prefix()}check", 1, ex=1)
    except (RedisError, OSError, TypeError, ValueError) as error:  # the last two: wrong options behind a `?`
        return reason(error)
    return ""


def fronts(address: str) -> int:
    """How many fronts of this site run now; blocks as `problem` does, and raises what the library does."""
    with blocking(address) as client:
        seconds, _ = client.time()
        return int(client.zcount(f"{key_prefix()}fronts", seconds * 1000, "+inf"))


def reason(error: Exception) -> str:
    """What went wrong, without texts of the library, which may have the address."""
    from redis import exceptions

    match error:
        case exceptions.AuthenticationError():
            return "it refuses the user or the password"
        case exceptions.TimeoutError() | TimeoutError():
            return f"it does not answer within {TIMEOUT_S:g} s"
        case exceptions.BusyLoadingError():
            return "it is still reading its data"
        case exceptions.ReadOnlyError():
            return "it is a replica that cannot be written to"
        case exceptions.OutOfMemoryError():
            return "its memory is full"
        case exceptions.ConnectionError() | OSError():
            return "it cannot be connected to"
        case TypeError() | ValueError():
            return "an option in its address is wrong"
    return f"it refuses a command ({type(error).__name__})"
