import pytest

from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.management.commands.unload import Command
from tests.management.fake_site import FakeSite, run


def pool(state: ModelState, leases: int = 0) -> PoolSnapshot:
    return PoolSnapshot(limit_bytes=1, models=(ResidentModel(id="tiny", state=state, leases=leases),))


GONE = PoolSnapshot(limit_bytes=1)
LEAVING = [pool(ModelState.DRAINING, leases) for leases in (2, 2, 1, 0)]


def test_it_waits_for_the_answers_and_returns_them() -> None:
    assert run(Command, FakeSite(LEAVING[0], *LEAVING, GONE), "tiny").splitlines() == [
        "tiny: waiting for 2 requests to finish",
        "tiny: waiting for 1 request to finish",
        "tiny: unloading",
        "tiny is unloaded.",
    ]


def test_without_waiting_it_only_begins() -> None:
    site = FakeSite(*LEAVING, GONE)
    assert run(Command, site, "tiny", "--no-wait") == "tiny is draining.\n"
    assert site.asked == [("unload", "tiny")]


@pytest.mark.parametrize("state", [ModelState.LOADING, ModelState.READY])
def test_one_that_a_request_brings_back_at_once_was_unloaded_all_the_same(state: ModelState) -> None:
    last = run(Command, FakeSite(LEAVING[3], LEAVING[3], pool(state)), "tiny").splitlines()[-1]
    assert last == f"tiny was unloaded and is {state} again, because a request needs it."


def test_what_is_not_loaded_needs_no_wait() -> None:
    assert run(Command, FakeSite(pool(ModelState.UNLOADED)), "tiny") == "tiny is unloaded.\n"
