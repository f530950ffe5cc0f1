from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.management.commands.reload import Command
from tests.management.fake_site import FakeSite, run


def pool(state: ModelState) -> PoolSnapshot:
    return PoolSnapshot(limit_bytes=1, models=(ResidentModel(id="tiny", state=state, load_s=1.5),))


def test_it_waits_for_the_requests_and_for_the_load() -> None:
    states = (ModelState.DRAINING, ModelState.DRAINING, ModelState.LOADING, ModelState.LOADING)
    site = FakeSite(*map(pool, states), pool(ModelState.READY))
    assert run(Command, site, "tiny").splitlines()[-1] == "tiny is ready (1.5 s)."
    assert site.asked == [("reload", "tiny")]
