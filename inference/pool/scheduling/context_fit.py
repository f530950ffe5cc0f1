"""The context of a model: the longest that fits memory, by the scheduler's own rules. Pure.

Where an operator chose a context, that counts. Otherwise it is the longest that fits alone, with only the
pinned models beside it: other models make room for a long request, and a longer one could never be served.
A load fixes it, so it never shrinks under a request.
"""

from collections.abc import Callable, Hashable
from typing import Literal

from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.memory_pressure import MemoryPressure
from inference.pool.residency.resident import Resident
from inference.pool.scheduling.preview import Outlook


class ContextFits:
    """The contexts of models beside what is in memory; callable from any thread."""

    def __init__(self, ledger: MemoryLedger, pressure: MemoryPressure) -> None:
        self._ledger = ledger
        self._pressure = pressure

    def of(self, card: ModelCard) -> ContextFit:
        """The context of a model, and how much of it fits now, and alone."""
        return _fit(card, Outlook.of(self._ledger, is_short=self._pressure.is_refusing))

    def fitted(self, card: ModelCard) -> ModelCard:
        """The card with the context that the model has, or would have if it were loaded now."""
        return card.with_context(self.of(card).context)

    def of_round(self) -> Callable[[ModelCard], ModelCard]:
        """`fitted` for one round of the scheduler, in which a model's context does not change."""
        contexts: dict[Hashable, int] = {}

        def fitted(card: ModelCard) -> ModelCard:
            sizes = (card.load_bytes, card.kv_bytes_per_token, card.longest_context, card.context_cap)
            context = contexts.get((card.resident_id, sizes))
            if context is None:
                context = contexts[card.resident_id, sizes] = self.of(card).context
            return card.with_context(context)

        return fitted


def _fit(card: ModelCard, outlook: Outlook) -> ContextFit:
    own = next((one for one in outlook.residents if one.card.id == card.resident_id), None)
    resident = None if own and own.is_leaving else own
    now, alone = _now(card, resident, outlook), _alone(card, resident, outlook)
    context = resident.context_length if resident else _chosen(card, alone)
    return ContextFit(
        context=context,
        own=card.longest_context,
        limited_by=_limit(resident.card if resident else card.with_context(context)),
        now=min(now, context),
        alone=alone,
    )


def _tokens_beside(card: ModelCard, weights: int, limit: int, kv_per_token: int | None = None) -> int:
    """Tokens whose KV cache fits beside these bytes of weights; `kv_per_token` is what a worker reported."""
    per_token = card.kv_bytes_per_token if kv_per_token is None else kv_per_token
    left = limit - weights
    if left < 0:
        return 0
    return min(card.allowed_context, left // per_token) if per_token else card.allowed_context


def _chosen(card: ModelCard, alone: int) -> int:
    """The context that a load would fix; of a model that does not fit it is never used."""
    return card.allowed_context if card.context_cap or not alone else alone


def _limit(card: ModelCard) -> Literal["model", "operator", "memory"]:
    """Why the context of this card, which a load fixed or would fix, is not longer."""
    if card.context_length < card.allowed_context:
        return "memory"
    return "operator" if card.context_length < card.longest_context else "model"


def _now(card: ModelCard, resident: Resident | None, outlook: Outlook) -> int:
    free = outlook.free + sum(one.sheddable for one in outlook.residents)
    if resident:
        return _tokens_beside(card, resident.cost_of(0), free, resident.kv_per_token)
    return 0 if outlook.is_short else _tokens_beside(card, card.load_bytes, free)


def _alone(card: ModelCard, resident: Resident | None, outlook: Outlook) -> int:
    pinned = [
        one
        for one in outlook.residents
        if one.card.is_pinned and one.card.id != card.resident_id and not one.is_leaving
    ]
    limit = outlook.limit - sum(one.base for one in pinned)
    if resident:
        weights = max(card.load_bytes, resident.least_base + card.prefill_bytes)
        return _tokens_beside(card, weights, limit, resident.kv_per_token)
    return _tokens_beside(card, card.load_bytes, limit)
