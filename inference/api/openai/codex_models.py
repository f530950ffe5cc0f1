"""The models as Codex knows them: the array `models` that it reads beside `data` of GET /v1/models.

https://github.com/openai/codex/blob/main/codex-rs/protocol/src/openai_models.rs - `ModelInfo`. Without it
Codex guesses how long a context is. Its setting `model_catalog_json` takes a file with this array.
"""

from typing import Any

from inference.core.model_card import ModelCard
from inference.core.pool_state import ResidentModel
from inference.serving import picture_check

# Codex's own instructions belong to its own models; these are for all others.
_INSTRUCTIONS = """\
You are a coding agent in a terminal. You work in the user's folder with the tools that you are given.

- Read the files that matter before you change anything, and search instead of guessing.
- Make the smallest change that does what the user asks, in the style of the code around it.
- Run the tests or the program where there are any, and look at what they say.
- Never undo changes that you have not made, and ask before you delete anything.
- When you are done, say in a few sentences what you changed and what is left."""
_EFFORTS = {
    "none": "Answers immediately",
    "low": "Thinks briefly",
    "medium": "Thinks as long as most tasks need",
    "high": "Thinks longer, for hard tasks",
    "max": "Thinks without a limit",
}
_MOST_OUTPUT_TOKENS = 10_000  # of a tool's output, as Codex has it for its own models


def codex_model(card: ModelCard, resident: ResidentModel, priority: int) -> dict[str, Any]:
    """A model's entry; Codex refuses the whole array where a field that it requires is not there."""
    return {
        "slug": card.id,
        "display_name": card.id.rpartition("/")[2],
        "description": f"{card.family}, on this server",
        "default_reasoning_level": None,
        "supported_reasoning_levels": [
            {"effort": effort, "description": text} for effort, text in _EFFORTS.items()
        ],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": priority,
        "upgrade": None,
        "base_instructions": _INSTRUCTIONS,
        "supports_reasoning_summaries": True,
        "default_reasoning_summary": "auto",
        "support_verbosity": False,
        "default_verbosity": None,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": _MOST_OUTPUT_TOKENS},
        "supports_parallel_tool_calls": True,
        "context_window": card.context_length,
        "max_context_window": card.context_length,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"] if picture_check.takes_pictures(card, resident) else ["text"],
    }
