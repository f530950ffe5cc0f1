from inference.core.model_card import LoraCard
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.serving import live_models
from tests.fakes import FakeRunner, card, serving


def test_a_model_outside_the_pool_is_unloaded() -> None:
    with serving(FakeRunner(), cards=[card("tiny")]):
        (model,) = live_models.models()
    assert (model.id, model.state) == ("tiny", ModelState.UNLOADED)


def test_a_model_that_cannot_be_served_is_not_shown() -> None:
    shown = live_models.joined([card("good"), card("bad", problem="no weights")], PoolSnapshot(limit_bytes=1))
    assert [model.id for model in shown] == ["good"]


def test_a_resident_model_has_the_pools_state() -> None:
    loading = ResidentModel(id="tiny", state=ModelState.LOADING, loaded_percent=40)
    (model,) = live_models.joined([card("tiny")], PoolSnapshot(limit_bytes=1, models=(loading,)))
    assert (model.state, model.loaded_percent) == (ModelState.LOADING, 40)


def test_adapters_follow_their_model_and_share_its_state() -> None:
    good, bad = LoraCard(name="good", path="/x"), LoraCard(name="bad", path="/x", problem="it is broken")
    loading = ResidentModel(id="tiny", state=ModelState.LOADING, loaded_percent=40)
    pool = PoolSnapshot(limit_bytes=1, models=(loading,))
    shown = live_models.joined([card("tiny", loras=(bad, good))], pool)
    facts = [(model.id, model.base, model.state, model.loaded_percent) for model in shown]
    assert facts == [
        ("tiny", "", ModelState.LOADING, 40),
        ("tiny:good", "tiny", ModelState.LOADING, 40),
    ]
