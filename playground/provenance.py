"""The provenance of an answer: which revision of the model made it, with which adapter, on which device."""

from pathlib import Path
from typing import Any

from inference.serving import runtime


def of(model: str) -> dict[str, Any]:
    """The model's adapter, device and revision, where known; reads the catalog, so call it from a thread."""
    card = runtime.catalog().find(model)
    if card is None:
        return {}
    loaded = runtime.pool().snapshot().of(card.id).loaded
    parts = {"adapter": loaded.adapter, "device": loaded.device} if loaded else {}
    # The hub's cache has a folder for each revision, named by its commit.
    revision = Path(card.path).name if card.source == "hub" else ""
    return {**parts, **({"revision": revision} if revision else {})}
