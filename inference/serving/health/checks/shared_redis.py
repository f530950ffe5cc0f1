"""The Redis that the fronts of this site share, where one is set."""

from collections.abc import Iterator

from django.conf import settings

from inference.fronts import connection
from inference.serving.health.finding import CheckResult

_ADVICE = (
    "Start it, or correct MLX_SERVER_REDIS_URL. Until then each front counts limits alone, and requests that "
    "need to know of other fronts get 503 (docs/fronts.md)."
)


def check() -> Iterator[CheckResult]:
    """Nothing without a Redis; this waits for it for seconds at most."""
    address = connection.url()
    if not address:
        return
    where = f"the Redis at {settings.CONFIG.redis_address}"
    if why := connection.problem(address):
        yield CheckResult(about="redis", text=f"{where}: {why}", state="wrong", advice=_ADVICE)
        return
    count = connection.fronts(address)
    yield CheckResult(about="redis", text=f"{where} answers; fronts of this site that run: {count}")
