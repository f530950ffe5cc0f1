"""GET /health and GET /ready: open to everyone, so they have states and counts but no names."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from inference import __version__
from inference.core.pool_state import ModelState, PoolSnapshot, ResidentModel
from inference.serving import runtime
from inference.serving.readiness import READINESS, warnings

_LONGEST_BACK_OFF_S = 60.0  # a rest that is longer is an open breaker's


@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """200 while requests are served; 503 when none is taken, or a worker ends time and again."""
    pool = runtime.pool()
    now = pool.snapshot()
    is_well = not pool.is_closing and _is_well(now)
    status = {
        "status": "healthy" if is_well else "unhealthy",
        "version": __version__,
        "workers": [_worker(model) for model in now.models],
        "spare_ready": now.is_spare_ready,
        "waiting": now.waiting,
        "pressure": now.pressure,
        "memory": {"limit_bytes": now.limit_bytes, "reserved_bytes": now.reserved_bytes},
    }
    return JsonResponse(status, status=200 if is_well else 503)


@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """200 while a request can be served, 503 with the reasons while it cannot: for load balancers.

    Warnings do not change the status: fronts that all lost their Redis still answer.
    """
    problems = await READINESS.problems()
    status: dict[str, Any] = {"status": "not ready" if problems else "ready", "problems": problems}
    if found := warnings():
        status["warnings"] = found
    return JsonResponse(status, status=503 if problems else 200)


def _is_well(pool: PoolSnapshot) -> bool:
    return pool.pressure != "refusing" and not any(map(_is_broken, pool.models))


def _is_broken(model: ResidentModel) -> bool:
    """Whether its worker died, or was ended for making no progress, so often that it may not start now."""
    return model.state == ModelState.FAILED and model.retry_in_s > _LONGEST_BACK_OFF_S


def _worker(model: ResidentModel) -> dict[str, Any]:
    return {"state": model.state, "streams": model.leases, "restarts": model.restarts}
