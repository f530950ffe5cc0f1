"""How far the load of a model is, and what it is doing."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

LoadPhase = Literal["starting", "calibrating", "weights", "verifying", "draft"]
# Each as a text. The playground has them too, in static/playground/load-phases.js.
LOAD_PHASES: Mapping[LoadPhase, str] = {
    "starting": "starting its process",
    "calibrating": "calibrating the CPU",
    "weights": "reading weights",
    "verifying": "verifying batch support",
    "draft": "reading its draft model",
}


class LoadProgress(Struct, frozen=True, kw_only=True):
    """The phase of a load, and the percentage of its weights that are on the device."""

    phase: LoadPhase = "starting"
    percent: int = 0


OnLoadProgress = Callable[[LoadProgress], None]


def loading_text(percent: int, phase: LoadPhase | Literal[""]) -> str:
    """The progress of a load as a text; its phase may be unknown."""
    return f"loading {percent} %" + (f", {LOAD_PHASES[phase]}" if phase else "")
