"""The library that CPU workers multiply with."""

from collections.abc import Iterator

from django.conf import settings

from inference.core.blas import best_blas
from inference.serving.health.finding import CheckResult


def check() -> Iterator[CheckResult]:
    found = best_blas(settings.CONFIG.blas)
    yield CheckResult(about="BLAS", text=f"{found.name}{' at ' if found.path else ''}{found.path}")
