"""GET /api/requests and /api/requests/{id}: what is known of requests that are over."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.api.operator.page_permission import PagePermission
from inference.core.errors import InvalidRequest, NotFound
from inference.core.whole_number import whole_number
from inference.serving.recording import request_report
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("inference.view_requestrecord"))
_MOST = 1000


@router.get("/requests")
async def newest(request: HttpRequest) -> HttpResponse:
    """The newest requests first; at most `limit`."""
    limit = whole_number(request.GET.get("limit", "100"))
    if not limit or limit > _MOST:
        raise InvalidRequest(f"limit must be a number from 1 to {_MOST}.", param="limit")
    return json_answer({"requests": await in_database(partial(request_report.newest, limit))})


@router.get("/requests/{request_id}")
async def one(request: HttpRequest, request_id: str) -> HttpResponse:
    """The request with this id; raises NotFound."""
    found = await in_database(partial(request_report.of, request_id))
    if found is None:
        raise NotFound("There is no record of a request with this id.")
    return json_answer(found)
