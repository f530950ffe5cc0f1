"""What a model was made of when it answered: enough to know it again."""

from pathlib import Path
from typing import Any

from inference.serving import runtime


def of(model: str) -> dict[str, Any]:
    """Its adapter, device and revision, where they are known; reads the catalog, so call it from a thread."""
    card = runtime.catalog().find(model)
    if card is None:
        return {}
    loaded = runtime.pool().snapshot().of(card.id).loaded
    told = {"adapter": loaded.adapter, "device": loaded.device} if loaded else {}
    # The hub's cache has a folder for each revision, named by its commit.
    revision = Path(card.path).name if card.source == "hub" else ""
    return {**told, **({"revision": revision} if revision else {})}
