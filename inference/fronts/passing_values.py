"""Values that any front may take out of the Redis once. Everything here blocks, for threads."""

from inference.fronts import connection
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front


def put(front: Front, name: str, value: str, lives_s: float) -> None:
    """Keep a value for so many seconds; raises RedisLost."""
    from redis.exceptions import RedisError

    _check(front)
    try:
        with connection.blocking(front.address) as client:
            client.set(front.key(f"once:{name}"), value, px=int(lives_s * 1000))
    except (RedisError, OSError) as error:
        raise RedisLost(connection.reason(error)) from None


def take(front: Front, name: str) -> str | None:
    """The value, which nobody can take again; None where there is none. Raises RedisLost."""
    from redis.exceptions import RedisError

    _check(front)
    try:
        with connection.blocking(front.address) as client:
            found: bytes | None = client.getdel(front.key(f"once:{name}"))
    except (RedisError, OSError) as error:
        raise RedisLost(connection.reason(error)) from None
    return found.decode() if found else None


def _check(front: Front) -> None:
    if front.is_lost:
        raise RedisLost(front.why_lost)
