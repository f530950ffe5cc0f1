"""GET /api/log: the latest lines of the log."""

from itertools import islice

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.api.operator.page_permission import PagePermission
from inference.core.errors import InvalidRequest
from inference.core.log_ring import RING, LogFilter
from inference.core.whole_number import whole_number

router = Router(auth=PagePermission("inference.view_logline"))
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_MOST = 1000


@router.get("/log")
async def log(request: HttpRequest) -> HttpResponse:
    """The newest lines first, filtered by `level`, `text`, `request` and `logger`; at most `limit`."""
    given = {name: request.GET.get(name, "") for name in LogFilter.__struct_fields__}
    if given["level"] and given["level"] not in LEVELS:
        raise InvalidRequest(f"level must be one of {', '.join(LEVELS)}.", param="level")
    limit = whole_number(request.GET.get("limit", "100"))
    if not limit or limit > _MOST:
        raise InvalidRequest(f"limit must be a number from 1 to {_MOST}.", param="limit")
    return json_answer({"lines": list(islice(RING.entries(LogFilter(**given)), limit))})
