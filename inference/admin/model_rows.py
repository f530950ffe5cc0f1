"""The live cells of the admin's list of models; the page and its websocket share their texts."""

from collections.abc import Sequence

from msgspec import Struct

from inference.admin import wording
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.core.units import in_gb


class ModelRow(Struct, frozen=True, kw_only=True):
    """The live cells of one model; its light is empty while it is not loaded."""

    id: str
    state: str
    memory: str
    streams: int
    adapter: str = ""
    light: str = ""


def row(name: str, card: ModelCard | None, resident: ResidentModel) -> ModelRow:
    """The row of one model, which may be on disk, in the pool, both or neither."""
    is_missing = card is None and resident.state == ModelState.UNLOADED
    loaded = resident.loaded
    return ModelRow(
        id=name,
        state="missing: its folder does not exist" if is_missing else wording.state(card, resident),
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
