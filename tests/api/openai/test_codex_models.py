"""The models as Codex reads them."""

from inference.api.openai.codex_models import codex_model
from inference.core.pool_state import Loaded, Memory, ModelState, ResidentModel
from tests.fakes import card


def resident(context_length: int | None) -> ResidentModel:
    if context_length is None:
        return ResidentModel(id="org/tiny", state=ModelState.UNLOADED)
    loaded = Loaded(seconds=1, memory=Memory(), context_length=context_length, vocab_size=2, device="cpu")
    return ResidentModel(id="org/tiny", state=ModelState.READY, loaded=loaded)


def test_the_context_is_that_of_the_worker_once_it_is_loaded() -> None:
    for loaded, length in ((None, 8192), (512, 512)):
        entry = codex_model(card("org/tiny"), resident(loaded), 3)
        assert (entry["context_window"], entry["max_context_window"]) == (length, length)
        assert (entry["slug"], entry["display_name"], entry["priority"]) == ("org/tiny", "tiny", 3)


def test_each_effort_has_a_description() -> None:
    entry = codex_model(card("org/tiny"), resident(None), 0)
    levels = {level["effort"]: level["description"] for level in entry["supported_reasoning_levels"]}
    assert levels.keys() == {"none", "low", "medium", "high", "max"} and all(levels.values())
