"""The live cells of the admin's list of models; the page and its websocket share their texts."""

from collections.abc import Sequence

from msgspec import Struct

from inference.admin import wording
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.core.self_test_summary import summary
from inference.core.units import in_gb


class ModelRow(Struct, frozen=True, kw_only=True):
    """The live cells of one model; the words of its self-test are empty while it is not loaded."""

    id: str
    state: str
    memory: str
    streams: int
    self_test: str = ""
    tone: str = ""  # the colour of the self-test's summary
    can_load: bool = False
    can_unload: bool = False


def row(name: str, card: ModelCard | None, resident: ResidentModel) -> ModelRow:
    """The row of one model, which may be on disk, in the pool, both or neither."""
    is_missing = card is None and resident.state == ModelState.UNLOADED
    is_remote = bool(card and card.is_remote)
    tested = summary(resident.loaded.findings if resident.loaded else None)
    return ModelRow(
        id=name,
        state="missing: its folder does not exist" if is_missing else wording.state(card, resident),
        memory=_memory(card, resident),
        streams=resident.leases,
        self_test=tested.text,
        tone=tested.tone,
        can_load=bool(card and card.is_servable) and not is_remote and not resident.state.is_in_memory,
        can_unload=resident.state.is_in_memory and not is_remote,
    )


def _memory(card: ModelCard | None, resident: ResidentModel) -> str:
    """What it holds, or what it would need."""
    if card and card.is_remote:
        return "on another server"
    if resident.reserved_bytes:
        return in_gb(resident.reserved_bytes)
    return f"needs {in_gb(card.resident_bytes)}" if card and card.is_servable else "–"


def rows(cards: Sequence[ModelCard], snapshot: PoolSnapshot) -> tuple[ModelRow, ...]:
    """Every model that is on disk or in the pool."""
    known = {card.id: card for card in cards}
    names = sorted({*known, *(model.id for model in snapshot.models)})
    return tuple(row(name, known.get(name), snapshot.of(name)) for name in names)
