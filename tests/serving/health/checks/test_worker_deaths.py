"""Workers that died in the last day."""

from datetime import UTC, datetime, timedelta

import pytest

from inference.models import PoolEvent
from inference.serving.health.checks import worker_deaths

pytestmark = pytest.mark.django_db


def died(model: str, hours_ago: float = 1, text: str = "its process was killed") -> None:
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    PoolEvent.objects.create(kind="died", model=model, text=text, at=at)


def test_deaths_of_the_last_day_are_counted_with_the_last_reason() -> None:
    died("old", hours_ago=25)
    died("once")
    for number in range(3):
        died("often", text=f"reason {number}")
    often, once = worker_deaths.check()
    assert (often.state, once.state) == ("wrong", "look")
    assert (
        "3 times" in often.text and "reason 2" in often.text and once.text.endswith("; once in the last day")
    )


def test_none_died() -> None:
    (result,) = worker_deaths.check()
    assert result.state == "good"
