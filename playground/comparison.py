"""Whether models that are compared answer together or in turn, and why."""

from collections.abc import Sequence

from inference.core.units import in_gb
from inference.serving import runtime


def plan(models: Sequence[str]) -> str:
    """One sentence with the memory needed and available; reads the catalog, so call it from a thread."""
    cards = [card for card in map(runtime.catalog().find, models) if card]
    needed = sum(card.load_bytes for card in cards)
    limit = runtime.pool().snapshot().limit_bytes
    memory = f"Together, these models need {in_gb(needed)} of the {in_gb(limit)} of memory for models"
    if needed <= limit:
        return f"{memory}. They answer at the same time."
    return f"{memory}. They answer in turn: each waits until another is unloaded."
