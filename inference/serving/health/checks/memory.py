"""The memory of this machine, and how much of it models may use."""

from collections.abc import Iterator

import psutil
from django.conf import settings

from inference.serving.health.finding import CheckResult

_GB = 10**9


def check() -> Iterator[CheckResult]:
    memory = psutil.virtual_memory()
    limit = settings.CONFIG.memory_limit_bytes
    text = (
        f"{memory.total / _GB:.1f} GB, {memory.available / _GB:.1f} GB free now; models may use "
        f"{limit / _GB:.1f} GB"
    )
    if limit <= memory.total:
        yield CheckResult(about="memory", text=text)
    else:
        yield CheckResult(about="memory", text=text, state="wrong", advice="Lower MLX_SERVER_MEMORY_LIMIT.")
