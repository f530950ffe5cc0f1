import pytest

from inference.core.pool_state import PoolEvent
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.memory_ledger import MemoryLedger
from tests.fakes import GB


class Told:
    """Takes events, and has a clock to set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[PoolEvent] = []
        self.history = DecisionLog(self.events.append, lambda: self.now, MemoryLedger(12 * GB), lambda: 1.5e9)


def test_an_event_has_the_wall_clocks_time_and_what_is_free() -> None:
    told = Told()
    told.history.record("loaded", "a", "loaded a", seconds=2.0)
    (event,) = told.events
    assert (event.at, event.free_bytes, event.limit_bytes, event.seconds) == (1.5e9, 12 * GB, 12 * GB, 2.0)
    assert told.history.events == (event,)


def test_it_keeps_the_last_two_hundred() -> None:
    told = Told()
    for number in range(250):
        told.history.record("loaded", str(number), "")
    assert [event.model for event in told.history.events] == [str(n) for n in range(50, 250)]


def test_of_a_flood_of_refusals_one_of_each_kind_a_second_is_kept() -> None:
    told = Told()
    for _ in range(100):
        told.now += 0.1
        told.history.refused("queue_full", "a", "")
        told.history.refused("pool_full", "a", "")
    assert 18 <= len(told.events) <= 22


def test_a_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: PoolEvent) -> None:
        raise ValueError("full")

    history = DecisionLog(fail, lambda: 0.0, MemoryLedger(GB))
    history.record("loaded", "a", "loaded a")
    assert len(history.events) == 1
    assert "could not be handed on" in caplog.text
