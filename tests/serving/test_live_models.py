from inference.core.model_card import Finding, LoraCard
from inference.core.pool_state import Loaded, Memory, ModelState, PoolSnapshot, ResidentModel
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
    loading = ResidentModel(id="tiny", state=ModelState.LOADING, loaded_percent=40, load_phase="verifying")
    (model,) = live_models.joined([card("tiny")], PoolSnapshot(limit_bytes=1, models=(loading,)))
    assert (model.state, model.loaded_percent, model.load_phase) == (ModelState.LOADING, 40, "verifying")


def test_a_model_takes_pictures_as_its_worker_says() -> None:
    for sees in (True, False):
        loaded = Loaded(seconds=1, memory=Memory(), context_length=1, vocab_size=1, device="cpu", sees=sees)
        ready = ResidentModel(id="tiny", state=ModelState.READY, loaded=loaded)
        pool = PoolSnapshot(limit_bytes=1, models=(ready,))
        (model,) = live_models.joined([card("tiny", sees=True)], pool)
        assert model.sees is sees


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


def test_what_is_here_and_cannot_be_requested_has_its_reason() -> None:
    good, bad = LoraCard(name="good", path="/x"), LoraCard(name="bad", path="/x", problem="it is broken")
    cards = [
        card("fine"),
        card("off", is_enabled=False, problem="it is switched off", loras=(good,)),
        card("odd", problem="no weights"),
        card("tiny", loras=(bad, good)),
    ]
    assert {one.id: one.reason for one in live_models.unavailable(cards)} == {
        "off": "It is switched off on this server.",
        "off:good": "It is an adapter of off. It is switched off on this server.",
        "odd": "It cannot be served: no weights",
        "tiny:bad": "The adapter cannot be used: it is broken",
    }


def test_a_loaded_model_has_what_its_self_test_found() -> None:
    tools = Finding(light="amber", about="tools", text="It has no tools.")
    drafts = Finding(light="green", about="speculation", text="Drafts are looked up.")
    loaded = Loaded(
        seconds=1, memory=Memory(), context_length=1, vocab_size=1, device="cpu", findings=(tools, drafts)
    )
    ready = ResidentModel(id="tiny", state=ModelState.READY, loaded=loaded)
    (model,) = live_models.joined(
        [card("tiny", aliases=("t",))], PoolSnapshot(limit_bytes=1, models=(ready,))
    )
    assert (model.self_test.text, model.self_test.tone) == ("Works, without tools", "grey")
    assert model.self_test.texts[0] == "It has no tools."
    assert model.aliases == ("t",)
