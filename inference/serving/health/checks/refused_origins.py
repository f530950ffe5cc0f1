"""Requests of the last day that were refused for the host name or the origin that they came with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from inference.core.log_ring import RING, LogFilter
from inference.serving.health.finding import CheckResult

_RECENT = timedelta(days=1)
_LOGGERS = ("mlxsite.refusal_log", "django.security.csrf")
_ADVICE = (
    "If they are yours, name the host in MLX_SERVER_ALLOWED_HOSTS, the page in MLX_SERVER_ALLOWED_ORIGINS, "
    "or the address behind a proxy in MLX_SERVER_ORIGINS."
)
_LINK = "/admin/inference/logline/?logger="


def check() -> Iterator[CheckResult]:
    found = [result for logger in _LOGGERS for result in _refused(logger)]
    yield from found or [CheckResult(about="origins", text="no request was refused in the last day")]


def _refused(logger: str) -> Iterator[CheckResult]:
    """The last refusal of a day, as the log has it."""
    since = datetime.now(UTC) - _RECENT
    newest = takewhile(lambda entry: entry.at >= since, RING.entries(LogFilter(logger=logger)))
    if entry := next(newest, None):
        text = f"Requests were refused in the last day, such as: {entry.message}"
        yield CheckResult(about="origins", text=text, state="look", advice=_ADVICE, link=_LINK + logger)
