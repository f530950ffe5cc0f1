"""What changes by itself in the admin's list of models, in words that the page and its websocket share."""

from collections.abc import Sequence

from msgspec import Struct

from inference.admin import wording
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.core.units import in_gb


class ModelRow(Struct, frozen=True, kw_only=True):
    """One model as it is now; its light is empty while nothing of it is loaded."""

    id: str
    state: str
    memory: str
    streams: int
    adapter: str = ""
    light: str = ""


def row(name: str, card: ModelCard | None, resident: ResidentModel) -> ModelRow:
    """The row of one model, which may have a card, a place in the pool, or neither."""
    is_missing = card is None and resident.state == ModelState.UNLOADED
    loaded = resident.loaded
    return ModelRow(
        id=name,
        state="missing: its folder is not there now" if is_missing else wording.state(card, resident),
        memory=in_gb(resident.reserved_bytes) if resident.reserved_bytes else "–",
        streams=resident.leases,
        adapter=loaded.adapter if loaded else "",
        light=loaded.light if loaded else "",
    )


def rows(cards: Sequence[ModelCard], snapshot: PoolSnapshot) -> tuple[ModelRow, ...]:
    """Every model that is on disk or in the pool."""
    known = {card.id: card for card in cards}
    names = sorted({*known, *(model.id for model in snapshot.models)})
    return tuple(row(name, known.get(name), snapshot.of(name)) for name in names)
