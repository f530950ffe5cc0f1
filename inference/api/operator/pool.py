"""GET /api/pool: the models in memory, what they take, and the decisions of the pool."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.serving import runtime

router = Router()


@router.get("/pool")
async def show(request: HttpRequest) -> HttpResponse:
    """The whole pool at this moment."""
    snapshot = runtime.pool().snapshot()
    return json_answer(snapshot)
