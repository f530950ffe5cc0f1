"""Values that any front may take out of the Redis once. Everything here blocks, for threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inference.fronts import connection
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front


def put(front: Front, name: str, value: str, lives_s: float) -> None:
    """Keep a value for so many seconds; raises RedisLost."""
    with _client(front) as client:
        client.set(front.key(f"once:{name}"), value, px=int(lives_s * 1000))


def take(front: Front, name: str) -> str | None:
    """The value, which nobody can take again; None where there is none. Raises RedisLost."""
    with _client(front) as client:
        found: bytes | None = client.getdel(front.key(f"once:{name}"))
    return found.decode() if found else None


@contextmanager
def _client(front: Front) -> Iterator[Any]:
    from redis.exceptions import RedisError

    if front.is_lost:
        raise RedisLost(front.why_lost)
    try:
        with connection.blocking(front.address) as client:
            yield client
    except (RedisError, OSError) as error:
        raise RedisLost(connection.reason(error)) from None
