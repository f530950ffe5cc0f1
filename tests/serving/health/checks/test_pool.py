"""What is said of memory pressure and of workers."""

from typing import Any

import pytest

from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.serving import runtime
from inference.serving.health.checks import pool


class FixedPool:
    def __init__(self, **facts: Any) -> None:
        self._snapshot = PoolSnapshot(limit_bytes=1, **facts)

    def snapshot(self) -> PoolSnapshot:
        return self._snapshot


def found(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> dict[str, str]:
    monkeypatch.setattr(runtime, "pool", lambda: FixedPool(**facts))
    return {result.about: result.state for result in pool.check()}


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch) == {"memory pressure": "good", "workers": "good"}


@pytest.mark.parametrize(
    ("pressure", "state"), [("shedding", "look"), ("evicting", "look"), ("refusing", "wrong")]
)
def test_memory_that_is_short_is_told_of(monkeypatch: pytest.MonkeyPatch, pressure: str, state: str) -> None:
    assert found(monkeypatch, pressure=pressure)["memory pressure"] == state


def test_workers_that_are_stuck_or_cannot_start_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    late = ResidentModel(id="tiny", state=ModelState.BUSY, is_late=True)
    assert found(monkeypatch, models=(late,))["workers"] == "look"
    assert found(monkeypatch, has_spare_failed=True)["workers"] == "wrong"
