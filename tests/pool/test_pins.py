"""Pins: each change is recorded once."""

from inference.pool.pins import Pins
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.records import PoolRecords
from tests.fakes import GB, card


def pins_and_decisions() -> tuple[Pins, DecisionLog]:
    ledger = MemoryLedger(8 * GB)
    decisions = DecisionLog(lambda event: None, lambda: 0.0, ledger)
    return Pins(PoolRecords(ledger, decisions, lambda: 0.0)), decisions


def kinds(decisions: DecisionLog) -> list[tuple[str, str]]:
    return [(event.kind, event.model) for event in decisions.events]


def test_a_pin_and_its_end_are_recorded_once() -> None:
    pins, decisions = pins_and_decisions()
    for is_pinned in (False, True, True, False, False):
        pins.update(card("a", is_pinned=is_pinned))
    assert kinds(decisions) == [("pinned", "a"), ("unpinned", "a")]


def test_a_pin_from_before_the_start_is_no_change() -> None:
    pins, decisions = pins_and_decisions()
    pins.add("a")
    pins.update(card("a", is_pinned=True))
    assert kinds(decisions) == []
    pins.update(card("a"))
    assert kinds(decisions) == [("unpinned", "a")]
