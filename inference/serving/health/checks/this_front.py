"""What this process, as one of the fronts of its site, knows of the Redis at this moment."""

from collections.abc import Iterator

from inference.fronts import front
from inference.serving.health.checks.shared_redis import ADVICE, where
from inference.serving.health.finding import CheckResult


def check() -> Iterator[CheckResult]:
    """Nothing where this process is no front."""
    this = front.current()
    if this is None:
        return
    if this.is_lost:
        yield CheckResult(about="redis", text=f"{where()}: {this.why_lost}", state="wrong", advice=ADVICE)
        return
    count = len(this.others) + 1
    yield CheckResult(about="redis", text=f"{where()} answers; fronts of this site that run: {count}")
