"""GET /api/health: what all checks of the site found, with names and with what to do."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from inference.api.http.json_answer import json_answer
from inference.api.operator.page_permission import PagePermission
from inference.serving.health.report import report
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("inference.view_servedmodel", "inference.run_servedmodel"))


@router.get("/health")
async def site_health(request: HttpRequest) -> HttpResponse:
    """The findings, the worst first; GET /health is the same for everybody, without names."""
    return json_answer(await in_database(report))
