"""GET /metrics: the metrics of this process, for Prometheus."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from inference.api.http import errors
from inference.api.operator.auth import Operator
from inference.core.errors import ServerError
from inference.core.threads import Threads
from inference.fronts import front
from inference.serving import runtime
from inference.serving.active_requests import STREAMS
from inference.serving.metrics.site_metrics import METRICS
from inference.serving.metrics.state_metrics import RedisState, SiteState
from inference.serving.readiness import READINESS
from inference.serving.usage_history import available

_THREADS = Threads("metrics", 1)  # a hung disk holds up no other reader
_reader = Operator("metrics")


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in the format that the header Accept asks for; the caller needs the scope `metrics`."""
    try:
        await _reader(request)
    except ServerError as error:
        return errors.response(error)
    accept = request.headers.get("Accept", "")
    text, content_type = await _THREADS.run(METRICS.render, await _state(), accept)
    return HttpResponse(text, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


async def _state() -> SiteState:
    config = settings.CONFIG
    return SiteState(
        pool=runtime.pool().snapshot(),
        phases=tuple(stream.phase for stream in STREAMS.snapshot()),
        available_bytes=available(),
        is_ready=not await READINESS.problems(),
        redis=_redis(),
        data_dir=config.data_dir,
        models_dir=config.models_path,
    )


def _redis() -> RedisState | None:
    this = front.current()
    if this is None:
        return None
    return RedisState(is_lost=this.is_lost, losses=this.losses, fronts=len(this.others) + 1)
