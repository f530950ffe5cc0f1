"""Which model a request means that names none."""

from collections.abc import Iterable

from inference.core.errors import InvalidValue
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.principal import Principal
from inference.core.threads import CATALOG
from inference.serving import runtime, visible_models

_LOADED = frozenset({ModelState.READY, ModelState.BUSY})


async def name(principal: Principal) -> str:
    """Of those that the caller may use: the loaded one, or else the only one; models of text come first.

    Raises InvalidValue where that is not one.
    """
    cards = _of(principal, await CATALOG.run(runtime.catalog().scan))
    pool = runtime.pool().snapshot()
    loaded = [card for card in cards if pool.of(card.id).state in _LOADED]
    for found in (_of_text(loaded), _of_text(cards), loaded, cards):
        if len(found) == 1:
            return found[0].id
    raise InvalidValue(
        f"'model' is required: {len(cards)} models exist and {len(loaded)} are loaded; "
        "GET /v1/models lists them.",
        param="model",
    )


def _of(principal: Principal, cards: Iterable[ModelCard]) -> list[ModelCard]:
    return [card for card in cards if card.is_servable and visible_models.may_use(principal, card)]


def _of_text(cards: list[ModelCard]) -> list[ModelCard]:
    return [card for card in cards if card.kind == "chat"]
