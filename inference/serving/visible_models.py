"""The models that a caller sees and may use: an API key may have a list of its own."""

from collections.abc import Iterable

from inference.core.errors import ModelNotFound
from inference.core.model_card import ModelCard, requestable
from inference.core.principal import Principal
from inference.core.threads import CATALOG
from inference.serving import runtime


def may_use(principal: Principal, card: ModelCard) -> bool:
    """Whether the caller may use this model, adapter or profile."""
    return principal.may_use(card.id, card.resident_id)


def requestable_by(principal: Principal, cards: Iterable[ModelCard]) -> list[ModelCard]:
    """What the caller can name: each of the models, followed by its adapters and profiles."""
    return [card for card in requestable(cards) if may_use(principal, card)]


async def check(principal: Principal, model_id: str) -> None:
    """Raise ModelNotFound for a model that the caller's list does not have."""
    if principal.models and not await CATALOG.run(_is_visible, principal, model_id):
        raise ModelNotFound(
            f"This API key has no model {model_id[:256]!r}; GET /v1/models lists those that it has.",
            param="model",
        )


def _is_visible(principal: Principal, model_id: str) -> bool:
    """Whether the caller may use what this id names; what is not here is refused as for any other caller."""
    found = runtime.catalog().find(model_id)
    card = found and (found.requested_as(model_id) or found)
    return not card or may_use(principal, card)
