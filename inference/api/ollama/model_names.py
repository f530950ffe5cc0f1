"""Names of models as Ollama writes them: a model without a tag has the tag `latest`."""

from typing import Final

from inference.core.errors import ModelNotFound
from inference.core.model_card import ModelCard
from inference.core.threads import CATALOG
from inference.serving import runtime

_LATEST: Final = ":latest"


def tagged(name: str) -> str:
    """The name as lists of models have it."""
    return name if ":" in name.rpartition("/")[2] else name + _LATEST


async def own_name(name: str) -> str:
    """The name by which the server knows the model; of an unknown model the name without its tag."""
    untagged = name.removesuffix(_LATEST)
    if untagged == name:
        return name
    found = await CATALOG.run(runtime.catalog().find, name)  # also finds a model without the tag
    return name if found and name in {found.id, *found.aliases} else untagged


async def card_of(name: str) -> ModelCard:
    """The card of a model that can be served, or of an adapter of one; ModelNotFound."""
    own = await own_name(name)
    found = await CATALOG.run(runtime.catalog().find, own)
    card = found.requested_as(own) if found else None
    if card is None or not card.is_servable:
        raise ModelNotFound(f"There is no model {name!r} here; GET /api/tags lists them.", param="model")
    return card
