"""Memory pressure, and workers that make no progress or cannot be started: of the site's own process."""

from collections.abc import Iterator

from inference.core.pool_state import PoolSnapshot, Pressure
from inference.serving import runtime
from inference.serving.health.finding import CheckResult, State

_PRESSURE: dict[Pressure, tuple[State, str, str]] = {
    "normal": ("good", "the system is not short of memory", ""),
    "shedding": (
        *("look", "The system is short of memory, so that prompt prefixes are released."),
        "Close other programs, or lower MLX_SERVER_MEMORY_LIMIT.",
    ),
    "evicting": (
        *("look", "The system is short of memory, so that idle models are unloaded."),
        "Close other programs, unload a model, or lower MLX_SERVER_MEMORY_LIMIT.",
    ),
    "refusing": (
        *("wrong", "The system is so short of memory that no model is loaded."),
        "Close other programs, or unload a model.",
    ),
}
_MODELS = "/admin/inference/servedmodel/"
_LOG = "/admin/inference/logline/?level=WARNING"


def check() -> Iterator[CheckResult]:
    pool = runtime.pool().snapshot()
    state, text, advice = _PRESSURE[pool.pressure]
    link = "" if state == "good" else _MODELS
    yield CheckResult(about="memory pressure", text=text, state=state, advice=advice, link=link)
    yield from _workers(pool)


def _workers(pool: PoolSnapshot) -> Iterator[CheckResult]:
    late = [model.id for model in pool.models if model.is_late]
    for name in late:
        text = f"The worker of {name} makes no progress."
        advice = "It is replaced automatically; unload the model if that takes too long."
        yield CheckResult(about="workers", text=text, state="look", advice=advice, link=_MODELS)
    if pool.has_spare_failed:
        text, advice = "The last spare worker could not be started.", "The log says why."
        yield CheckResult(about="workers", text=text, state="wrong", advice=advice, link=_LOG)
    elif not late:
        yield CheckResult(about="workers", text="all workers make progress")
