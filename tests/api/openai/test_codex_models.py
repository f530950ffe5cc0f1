"""The models as Codex reads them."""

from inference.api.openai.codex_models import codex_model
from inference.core.pool_state import ModelState, ResidentModel
from tests.fakes import card

UNLOADED = ResidentModel(id="org/tiny", state=ModelState.UNLOADED)


def test_the_context_is_the_models() -> None:
    entry = codex_model(card("org/tiny", context_length=512), UNLOADED, 3)
    assert (entry["context_window"], entry["max_context_window"]) == (512, 512)
    assert (entry["slug"], entry["display_name"], entry["priority"]) == ("org/tiny", "tiny", 3)


def test_each_effort_has_a_description() -> None:
    entry = codex_model(card("org/tiny"), UNLOADED, 0)
    levels = {level["effort"]: level["description"] for level in entry["supported_reasoning_levels"]}
    assert levels.keys() == {"none", "low", "medium", "high", "max"} and all(levels.values())
