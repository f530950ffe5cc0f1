"""The Redis that the fronts of this site share, as a process finds it that is no front itself."""

from collections.abc import Iterator

from django.conf import settings

from inference.fronts import connection, front
from inference.serving.health.finding import CheckResult

ADVICE = (
    "Start it, or correct MLX_SERVER_REDIS_URL. Until then each front counts limits alone, and requests that "
    "need to know of other fronts get 503 (docs/fronts.md)."
)


def where() -> str:
    """How findings name it."""
    return f"the Redis at {settings.CONFIG.redis_address}"


def check() -> Iterator[CheckResult]:
    """Nothing without a Redis and in a front (this_front.py); this waits for it for seconds at most."""
    address = connection.url()
    if not address or front.current():
        return
    if why := connection.problem(address):
        yield CheckResult(about="redis", text=f"{where()}: {why}", state="wrong", advice=ADVICE)
        return
    count = connection.fronts(address)
    yield CheckResult(about="redis", text=f"{where()} answers; fronts of this site that run: {count}")
