"""The longest context of a model that fits memory, by the scheduler's own rules. Pure."""

from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit
from inference.pool.residency.resident import Resident
from inference.pool.scheduling.preview import Outlook


def context_fit(card: ModelCard, outlook: Outlook) -> ContextFit:
    """The longest context that fits now, and that fits alone; never more than the model's own."""
    own = next((one for one in outlook.residents if one.card.id == card.resident_id), None)
    resident = None if own and own.is_leaving else own
    return ContextFit(now=_now(card, resident, outlook), alone=_alone(card, resident, outlook))


def tokens_beside(card: ModelCard, weights: int, limit: int, kv_per_token: int | None = None) -> int:
    """Tokens whose KV cache fits beside these bytes of weights; `kv_per_token` is what a worker reported."""
    per_token = card.kv_bytes_per_token if kv_per_token is None else kv_per_token
    left = limit - weights
    if left < 0:
        return 0
    return min(card.context_length, left // per_token) if per_token else card.context_length


def _now(card: ModelCard, resident: Resident | None, outlook: Outlook) -> int:
    free = outlook.free + sum(one.sheddable for one in outlook.residents)
    if resident:
        return tokens_beside(card, resident.cost_of(0), free, resident.kv_per_token)
    return 0 if outlook.is_short else tokens_beside(card, card.load_bytes, free)


def _alone(card: ModelCard, resident: Resident | None, outlook: Outlook) -> int:
    pinned = [
        one
        for one in outlook.residents
        if one.card.is_pinned and one.card.id != card.resident_id and not one.is_leaving
    ]
    limit = outlook.limit - sum(one.base for one in pinned)
    if resident:
        weights = max(card.load_bytes, resident.least_base + card.prefill_bytes)
        return tokens_beside(card, weights, limit, resident.kv_per_token)
    return tokens_beside(card, card.load_bytes, limit)
