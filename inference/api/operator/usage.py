"""GET /api/usage: what was used, by model, key or account, as JSON or as CSV."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.api.operator.page_permission import PagePermission
from inference.core.errors import InvalidRequest
from inference.serving.usage.csv_export import as_csv
from inference.serving.usage.report import BYS, by_period, report
from inference.serving.usage.span import RANGES, zone_named
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("inference.view_requestrecord"))
FORMATS = ("json", "csv")


@router.get("/usage")
async def usage(request: HttpRequest) -> HttpResponse:
    """The usage of a `range`, `by` what is asked for, in hours or days of a time `zone`."""
    chosen: Any = _one_of(request, "range", RANGES, "7d")
    by: Any = _one_of(request, "by", BYS, "model")
    name = request.GET.get("zone", "UTC")
    zone = zone_named(name)
    if zone is None:
        raise InvalidRequest("zone must be the name of a time zone, such as Europe/Berlin.", param="zone")
    if _one_of(request, "format", FORMATS, "json") == "csv":
        return _csv(await in_database(lambda: as_csv(by_period(chosen, by, zone), by)), f"{by}-{chosen}")
    return json_answer(await in_database(lambda: report(chosen, by, zone)))


def _csv(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="usage-{name}.csv"'
    return response


def _one_of(request: HttpRequest, name: str, known: tuple[str, ...], default: str) -> str:
    value = request.GET.get(name, default)
    if value not in known:
        raise InvalidRequest(f"{name} must be one of {', '.join(known)}.", param=name)
    return value
