"""GET /v1/models and GET /v1/models/{id}."""

from typing import Any

from ninja import Router

from inference.api.anthropic import models as anthropic_models
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.context_fields import context_fields
from inference.api.openai.codex_models import codex_model
from inference.core.errors import ModelNotFound
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit, ModelState, ResidentModel
from inference.core.threads import CATALOG
from inference.serving import picture_check, runtime, visible_models

router = Router()
_OUTPUT = {"chat": "text", "embedding": "embedding", "rerank": "score"}


@router.get("/models")
async def list_models(request: AuthenticatedRequest) -> dict[str, Any]:
    """Every model that is loaded or can be, and its LoRA adapters and profiles as `model:name`."""
    found = await CATALOG.run(runtime.catalog().scan)
    cards = runtime.pool().fitted(*visible_models.requestable_by(request.auth, found))
    if anthropic_models.is_wanted(request):
        return anthropic_models.page_of(cards, request)
    pool = runtime.pool().snapshot()
    shown = [(card, pool.of(card.resident_id)) for card in cards]
    chats = [(card, resident) for card, resident in shown if card.kind == "chat"]
    fits = runtime.pool().context_fits(*cards)
    return {
        "object": "list",
        "data": [_model(*one, fit) for one, fit in zip(shown, fits, strict=True)],
        "models": [codex_model(*chat, priority) for priority, chat in enumerate(chats, 1)],
    }


@router.get("/models/{path:model_id}")
async def retrieve_model(request: AuthenticatedRequest, model_id: str) -> dict[str, Any]:
    """One model; ids may contain slashes."""
    found = await CATALOG.run(runtime.catalog().find, model_id)
    card = found.requested_as(model_id) if found else None
    if card is None or not card.is_servable or not visible_models.may_use(request.auth, card):
        raise ModelNotFound(
            f"There is no model {model_id[:256]!r} here; GET /v1/models lists them.", param="model"
        )
    pool = runtime.pool()
    if anthropic_models.is_wanted(request):
        return anthropic_models.model(*pool.fitted(card))
    return _model(card, pool.snapshot().of(card.resident_id), *pool.context_fits(card))


def _model(card: ModelCard, resident: ResidentModel, fit: ContextFit) -> dict[str, Any]:
    owner, slash, _ = card.id.partition("/")
    state = ModelState.READY if card.is_remote and not resident.state.is_in_memory else resident.state
    return {
        "id": card.id,
        "object": "model",
        "created": card.created,
        "owned_by": owner if slash else "local",
        "state": state,
        "loaded": state in {ModelState.READY, ModelState.BUSY},
        "size_bytes": card.weight_bytes,
        "needed_bytes": card.resident_bytes,
        "memory_bytes": resident.memory.active,
        **context_fields(fit),
        "kind": card.kind,
        "modalities": {
            "input": ["text", "image"] if picture_check.takes_pictures(card, resident) else ["text"],
            "output": [_OUTPUT[card.kind]],
        },
        "family": card.family,
        "adapter": resident.loaded.adapter if resident.loaded else None,
        "light": resident.loaded.light if resident.loaded else None,
        "findings": [finding.text for finding in resident.loaded.findings] if resident.loaded else [],
        "aliases": list(card.aliases),
        "pinned": card.is_pinned,
        **({"parent": card.base} if card.base else {}),
        **({"upstreams": list(card.remote.upstreams)} if card.remote else {}),
    }
