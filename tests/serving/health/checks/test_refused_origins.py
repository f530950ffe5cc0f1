"""Requests that were refused for their host or their origin."""

import logging
import time

import pytest

from inference.core.log_ring import LogRing
from inference.serving.health.checks import refused_origins
from tests.core.test_log_ring import log, ring


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> LogRing:
    made = ring()
    monkeypatch.setattr(refused_origins, "RING", made)
    return made


def test_the_last_refusal_of_a_day_is_told_of(kept: LogRing) -> None:
    log(kept, "long ago", logging.ERROR, name="django.security.csrf", created=time.time() - 90_000)  # type: ignore[arg-type]
    for name in ("one", "two"):
        log(kept, f"Refused a request: host {name}", logging.WARNING, name="mlxsite.refusal_log")
    (result,) = refused_origins.check()
    assert result.text.endswith("Refused a request: host two") and "ALLOWED_HOSTS" in result.advice


def test_none_was_refused(kept: LogRing) -> None:
    log(kept, "loaded")
    (result,) = refused_origins.check()
    assert result.state == "good"
