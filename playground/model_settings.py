"""What a model does with each setting that a chat leaves empty."""

from typing import Any

import msgspec
from django.conf import settings

from inference.core.errors import NotFound
from inference.core.model_card import ModelCard
from inference.core.requests import NEUTRAL
from inference.serving import model_details, runtime, thinking_support

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def read(model_id: str) -> dict[str, Any]:
    """The defaults and abilities of a model, as the settings panel shows them; reads the disk.

    Raises NotFound for a model that is not served.
    """
    found = runtime.catalog().find(model_id)
    card = found.requested_as(model_id) if found else None
    if card is None or not card.is_servable:
        raise NotFound("This model is no longer on this server.")
    details = model_details.read(card)
    (card,) = runtime.pool().fitted(card)
    return {
        "model": model_id,
        "defaults": {name: default(card, name) for name in _SAMPLING} | {"max_tokens": longest_answer(card)},
        "reasoning": msgspec.to_builtins(thinking_support.read(details)),
        "has_template": bool(details.template),
    }


def default(card: ModelCard, name: str) -> dict[str, Any]:
    """What a request gets that leaves this sampling field open, and whose choice that is.

    The order is that of serving/generation.py: the operator's, then the model's own, then the neutral value.
    """
    for source, sampling in (("server", card.sampling), ("model", card.own_sampling), ("", NEUTRAL)):
        if (value := getattr(sampling, name)) is not None:
            return {"value": value, "source": source}
    raise AttributeError(name)


def longest_answer(card: ModelCard) -> dict[str, Any]:
    """The most tokens that an answer may have, and what limits it: the server or the model's context."""
    limit = settings.CONFIG.max_output_tokens
    if limit and limit < card.context_length:
        return {"value": limit, "source": "server"}
    return {"value": card.context_length, "source": "context"}
