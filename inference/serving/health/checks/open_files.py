"""How many files and connections this process may have open."""

import resource
from collections.abc import Iterator

from inference.serving.health.finding import CheckResult

_MIN_FILES = 4096


def check() -> Iterator[CheckResult]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    maximum = "any number" if hard == resource.RLIM_INFINITY else str(hard)
    text = f"{soft} open files for this process, {maximum} at most"
    if hard == resource.RLIM_INFINITY or hard >= _MIN_FILES:
        yield CheckResult(about="open files", text=text)
        return
    advice = "Raise the limit (ulimit -n, LimitNOFILE=, --ulimit nofile=): each connection takes one."
    yield CheckResult(about="open files", text=text, state="look", advice=advice)
