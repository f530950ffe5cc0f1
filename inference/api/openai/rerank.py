"""POST /v1/rerank, which Cohere's and Jina's clients also find as /rerank and /v2/rerank."""

import secrets
from typing import Any

from django.http import HttpResponse
from ninja import Router

from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.http.single_outcome import single
from inference.api.openai.schemas import RerankBody
from inference.core.events import Reranked

router = Router()


@router.post("/rerank")
async def rerank(request: AuthenticatedRequest) -> HttpResponse:
    """Score documents for a query, the best first."""
    body = await strict_json.read(request, RerankBody)
    reranked, finished = await single(request, body, body.request(), Reranked)
    tokens = finished.usage.prompt_tokens
    version = "2" if request.path.startswith("/v2/") else "1"
    return json_answer(
        {
            "id": f"rerank-{secrets.token_hex(12)}",
            "object": "list",
            "model": body.model,
            "results": _results(body, reranked),
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            "meta": _meta(version, tokens, reranked.cut),
        }
    )


def _results(body: RerankBody, reranked: Reranked) -> list[dict[str, Any]]:
    """Equal scores keep the order of the request."""
    texts = body.texts
    best = sorted(enumerate(reranked.scores), key=lambda one: -one[1])[: body.top_n]
    return [
        {"index": index, "relevance_score": score}
        | ({"document": {"text": texts[index]}} if body.return_documents else {})
        for index, score in best
    ]


def _meta(version: str, tokens: int, cut: int) -> dict[str, Any]:
    """Cohere's account of a request; nothing is billed here."""
    made: dict[str, Any] = {
        "api_version": {"version": version},
        "billed_units": {"search_units": 0},
        "tokens": {"input_tokens": tokens},
    }
    if cut:
        made["warnings"] = [f"{cut} of the documents exceeded the maximum length and were truncated."]
    return made
