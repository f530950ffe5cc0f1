"""GET /api/hub/models and /api/hub/models/{id}: models of the hub, and which fit before any download."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from inference.serving.discovery import hub_questions
from inference.serving.discovery.hub_models import FoundModel

router = Router()


@router.get("/hub/models")
async def search(request: HttpRequest) -> dict[str, Any]:
    """Models by the words of `search`, ordered by `sort`, of one `format`, at most `limit` of them."""
    given = request.GET
    found = await hub_questions.search(
        given.get("search", ""),
        sort=given.get("sort", ""),
        format=given.get("format", ""),
        limit=given.get("limit", ""),
    )
    return {"models": [_result(one) for one in found]}


@router.get("/hub/models/{path:model_id}")
async def examine(request: HttpRequest, model_id: str) -> dict[str, Any]:
    """What one model needs, and what of it fits this server now."""
    found = await hub_questions.examine(model_id)
    card, verdict = found.model.card, found.verdict
    return {
        "id": card.id,
        "download_bytes": found.model.download_bytes,
        "size_bytes": card.weight_bytes,
        "kind": card.kind,
        "family": card.family,
        "quantization": card.quantization,
        "licence": found.model.licence,
        "capabilities": list(found.model.capabilities),
        "adapter": found.model.adapter,
        "gated": found.model.is_gated,
        "problem": card.problem or found.disk_problem,
        "verdict": verdict.outcome,
        "text": verdict.text,
        "needed_bytes": verdict.needed_bytes,
        "limit_bytes": verdict.limit_bytes,
        "context_length": verdict.context_length,
        "context_fits_now": verdict.context_now,
        "context_fits_alone": verdict.context_alone,
    }


def _result(found: FoundModel) -> dict[str, Any]:
    hub = found.hub
    return {
        "id": hub.id,
        "downloads": hub.downloads,
        "likes": hub.likes,
        "updated": hub.updated,
        "size_bytes": hub.weight_bytes,
        "family": hub.family,
        "quantization": hub.quantization,
        "licence": hub.licence,
        "capabilities": list(found.capabilities),
        "mlx": hub.is_mlx,
        "gated": hub.is_gated,
    }
