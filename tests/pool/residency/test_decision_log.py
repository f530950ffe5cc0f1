import pytest

from inference.core.pool_state import PoolEvent
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.memory_ledger import MemoryLedger
from tests.fakes import GB


class Recorder:
    """Takes events, and has a clock to set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[PoolEvent] = []
        self.decisions = DecisionLog(
            self.events.append, lambda: self.now, MemoryLedger(12 * GB), lambda: 1.5e9
        )


def test_an_event_has_the_wall_clocks_time_and_what_is_free() -> None:
    recorder = Recorder()
    recorder.decisions.record("loaded", "a", "loaded a", seconds=2.0)
    (event,) = recorder.events
    assert (event.at, event.free_bytes, event.limit_bytes, event.seconds) == (1.5e9, 12 * GB, 12 * GB, 2.0)
    assert recorder.decisions.events == (event,)


def test_it_keeps_the_last_two_hundred() -> None:
    recorder = Recorder()
    for number in range(250):
        recorder.decisions.record("loaded", str(number), "")
    assert [event.model for event in recorder.decisions.events] == [str(n) for n in range(50, 250)]


def test_of_a_flood_of_refusals_one_of_each_kind_a_second_is_kept() -> None:
    recorder = Recorder()
    for _ in range(100):
        recorder.now += 0.1
        recorder.decisions.record_refusal("queue_full", "a", "")
        recorder.decisions.record_refusal("pool_full", "a", "")
    assert 18 <= len(recorder.events) <= 22


def test_a_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: PoolEvent) -> None:
        raise ValueError("full")

    decisions = DecisionLog(fail, lambda: 0.0, MemoryLedger(GB))
    decisions.record("loaded", "a", "loaded a")
    assert len(decisions.events) == 1
    assert "could not be passed to its listener" in caplog.text
