"""The bytes that one resident model holds."""

from typing import Any

from inference.core.pool_state import Memory, ModelState
from inference.pool.residency.resident import Resident, Stream
from tests.fakes import FakeRunner, card


def ready(memory: Memory = Memory(), **fields: int) -> Resident:  # noqa: B008
    runner = FakeRunner()
    runner.memory = memory
    made = Resident(card("a", resident_bytes=100, prefill_bytes=10), runner, last_used=5.0)
    made.state, made.kv_per_token = ModelState.READY, 2
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_the_larger_of_prediction_and_report_counts() -> None:
    assert ready().bytes == 100
    assert ready(Memory(active=150, kv=20, prefix_cache=30)).bytes == 100 + 20 + 30
    assert ready(Memory(active=250, kv=20, prefix_cache=30)).bytes == 250
    assert ready(Memory(active=150, kv=20), kv_reserved=40).bytes == 130 + 40


def test_helper_processes_count_as_far_as_the_prediction_has_no_room_for_them() -> None:
    assert ready(Memory(active=90, helpers=5)).bytes == 100
    assert ready(Memory(active=90, helpers=44)).bytes == 134
    assert ready(Memory(active=150, helpers=44, kv=20, prefix_cache=30)).bytes == 100 + 44 + 20 + 30


def test_the_first_lease_costs_a_chunk_of_prefill_too() -> None:
    resident = ready()
    assert resident.cost_of(5) == 10 + 5 * 2
    resident.streams.append(Stream(1, 0.0))
    assert resident.cost_of(5) == 5 * 2


def test_a_shed_is_reclaimed_until_the_report_and_asked_for_once() -> None:
    resident = ready(Memory(active=150, prefix_cache=50))
    resident.shed(20, now=0.0)
    assert (resident.sheddable, resident.reclaiming) == (0, 0)  # the fake has shed at once
    resident.note_report(resident.runner.memory)
    assert resident.sheddable == 20


def test_a_shed_that_does_not_happen_is_given_up_and_tried_again_later(monkeypatch: Any) -> None:
    resident = ready(Memory(active=150, prefix_cache=50))
    monkeypatch.setattr(resident.runner, "shed", lambda keep: None)
    resident.shed(20, now=0.0)
    assert resident.reclaiming == 30
    resident.expire_shed(now=2.5)
    assert (resident.reclaiming, resident.sheddable) == (0, 0)
    resident.expire_shed(now=7.5)
    assert resident.sheddable == 50


def test_a_snapshot_is_busy_while_it_has_leases() -> None:
    resident = ready()
    idle = resident.as_model(now=8.0)
    assert (idle.state, idle.idle_s, idle.pid) == (ModelState.READY, 3.0, 4242)
    resident.streams.append(Stream(1, 0.0))
    assert resident.as_model(now=8.0).state == ModelState.BUSY
    assert not resident.is_evictable
