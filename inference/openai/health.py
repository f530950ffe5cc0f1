"""GET /health: open to everyone, so it tells states and counts but no names."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from inference import __version__, runtime


@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """200 while requests are served, 503 once the pool takes no more."""
    pool = runtime.pool()
    now = pool.snapshot()
    told = {
        "status": "unhealthy" if pool.is_closing else "healthy",
        "version": __version__,
        "workers": [{"state": model.state, "streams": model.leases} for model in now.models],
        "spare_ready": now.is_spare_ready,
        "waiting": now.waiting,
        "memory": {"limit_bytes": now.limit_bytes, "reserved_bytes": now.reserved_bytes},
    }
    return JsonResponse(told, status=503 if pool.is_closing else 200)
