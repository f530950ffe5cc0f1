"""The servable models with their live state, as browsers are shown them."""

from collections.abc import Sequence

from msgspec import Struct

from inference.core.model_card import ModelCard, requestable
from inference.core.pool_state import ModelState, PoolSnapshot
from inference.serving import runtime


class LiveModel(Struct, frozen=True, kw_only=True):
    """One line of a list of models; sizes in bytes, context in tokens."""

    id: str
    family: str
    context_length: int
    resident_bytes: int
    state: ModelState
    loaded_percent: int = 0
    held_bytes: int = 0
    streams: int = 0
    reason: str = ""
    kind: str = "chat"
    light: str = ""  # of the self-test; empty before it was loaded
    base: str = ""  # the model whose LoRA adapter it is: state and memory are that model's


def models() -> tuple[LiveModel, ...]:
    """Every servable model as of now; reads the disk, so call it from a thread."""
    return joined(runtime.catalog().scan(), runtime.pool().snapshot())


def joined(cards: Sequence[ModelCard], snapshot: PoolSnapshot) -> tuple[LiveModel, ...]:
    """What the catalog knows of each servable model and its adapters, with where it is in the pool."""
    return tuple(_live(card, snapshot) for card in requestable(cards))


def _live(card: ModelCard, snapshot: PoolSnapshot) -> LiveModel:
    resident = snapshot.of(card.resident_id)
    return LiveModel(
        id=card.id,
        family=card.family,
        context_length=card.context_length,
        resident_bytes=card.resident_bytes,
        state=resident.state,
        loaded_percent=resident.loaded_percent,
        held_bytes=resident.reserved_bytes,
        streams=resident.leases,
        reason=resident.reason,
        kind=card.kind,
        base=card.base,
        light=resident.loaded.light if resident.loaded else "",
    )
