"""Where the engine's results go."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.core.load_progress import OnLoadProgress
from inference.core.protocol import GrowthWanted

if TYPE_CHECKING:
    from inference.worker.engine.sequence import Output
    from inference.worker.model.loaded_model import LoadedModel


@dataclass(frozen=True)
class EngineCallbacks:
    """Each is called on the engine's thread and must not block."""

    on_imported: Callable[[], None]
    on_loading: OnLoadProgress
    on_loaded: Callable[["LoadedModel"], None]
    on_load_failed: Callable[[Exception], None]
    on_outputs: Callable[[list["Output"]], None]
    on_lost: Callable[[list[int]], None]  # ids of sequences that cannot be computed
    on_memory: Callable[[], None]  # the prefix cache has grown or shrunk
    on_growth_wanted: Callable[[GrowthWanted], None] = lambda wanted: None
    # Of a request, by its number in frames: in how many of its answers the reasoning ends now.
    on_thinking_ended: Callable[[int, int], None] = lambda request, answers: None
