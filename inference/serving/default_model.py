"""Which model a request means that names none."""

from inference.core.errors import InvalidValue
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.threads import CATALOG
from inference.serving import runtime

_LOADED = frozenset({ModelState.READY, ModelState.BUSY})


async def name() -> str:
    """The one that is loaded, or else the only one there is; models that make text come first.

    Raises InvalidValue where that is not one.
    """
    cards = [card for card in await CATALOG.run(runtime.catalog().scan) if card.is_servable]
    pool = runtime.pool().snapshot()
    loaded = [card for card in cards if pool.of(card.id).state in _LOADED]
    for found in (_of_text(loaded), _of_text(cards), loaded, cards):
        if len(found) == 1:
            return found[0].id
    raise InvalidValue(
        f"'model' is required: {len(cards)} models are here and {len(loaded)} are loaded; "
        "GET /v1/models lists them.",
        param="model",
    )


def _of_text(cards: list[ModelCard]) -> list[ModelCard]:
    return [card for card in cards if card.kind == "chat"]
