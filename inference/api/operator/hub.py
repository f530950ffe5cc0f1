"""GET /api/hub/models, /api/hub/models/{id} and /api/hub/recommended: models that could be downloaded, and
which of them fit."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from inference.core.threads import CATALOG
from inference.serving.discovery import hub_questions, suggested_models
from inference.serving.discovery.hub_models import FoundModel
from inference.serving.discovery.suggested_models import Suggestion
from inference.serving.discovery.verdict import Verdict

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
        **_verdict(verdict),
    }


@router.get("/hub/recommended")
async def recommended(request: HttpRequest) -> dict[str, Any]:
    """The dated list that ships with this server, smallest first, with verdicts; asks no hub."""
    found = await CATALOG.run(suggested_models.all_with_verdicts)
    return {"as_of": suggested_models.AS_OF.isoformat(), "models": [_suggestion(one) for one in found]}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.outcome,
        "text": verdict.text,
        "needed_bytes": verdict.needed_bytes,
        "limit_bytes": verdict.limit_bytes,
        "context_length": verdict.context_length,
        "context_fits_now": verdict.context_now,
        "context_fits_alone": verdict.context_alone,
    }


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "id": one.model.id,
        "remark": one.model.remark,
        "download_bytes": one.model.download_bytes,
        "family": one.model.family,
        "licence": one.model.licence,
        "capabilities": list(one.model.capabilities),
        **_verdict(one.verdict),
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
