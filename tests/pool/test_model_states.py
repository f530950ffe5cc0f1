"""The models of a snapshot."""

from inference.core.pool_state import ModelState, ResidentModel
from inference.pool.model_states import model_states
from inference.pool.residency.crash_backoff import CrashBackoff
from inference.pool.residency.resident import Resident
from tests.fakes import FakeRunner, card


def states(*residents: str, waiting: tuple[str, ...] = (), **backoffs: CrashBackoff) -> list[ResidentModel]:
    made = [Resident(card(name), FakeRunner(), 0.0, state=ModelState.READY) for name in residents]
    return list(model_states(made, waiting, backoffs, now=0.0))


def test_a_load_that_waits_is_shown_once() -> None:
    found = states("a", waiting=("a", "b"))
    assert [(model.id, model.state, model.reason) for model in found] == [
        ("a", "ready", ""),
        ("b", "loading", "waiting for memory"),
    ]


def test_a_resident_model_keeps_the_reason_of_its_last_crash() -> None:
    backoff = CrashBackoff(restarts=2, reason="killed")
    (model,) = states("a", a=backoff)
    assert (model.state, model.restarts, model.reason) == ("ready", 2, "killed")


def test_a_recent_failure_is_shown_beside_them() -> None:
    failed, old = CrashBackoff(), CrashBackoff()
    failed.note_failed_load(now=0.0, reason="no weights")
    old.note_failed_load(now=-1000.0, reason="no weights")
    found = states("a", b=failed, c=old, d=CrashBackoff())
    assert [(model.id, model.state, model.reason) for model in found] == [
        ("a", "ready", ""),
        ("b", "failed", "no weights"),
    ]


def test_a_model_whose_breaker_is_open_has_failed_until_it_may_start() -> None:
    backoff = CrashBackoff()
    for _ in range(5):
        backoff.note_death(now=0.0, lived_s=1.0, reason="killed")
    (model,) = states(a=backoff)
    assert (model.state, model.restarts, model.retry_in_s) == ("failed", 5, 300.0)
