"""The admin's page Discover: models of the hub by words, each with whether it fits this server."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from inference.admin import discover_rows
from inference.admin.discover_rows import ModelView
from inference.core.units import in_gb
from inference.core.whole_number import whole_number
from inference.models import Download
from inference.repository.discovery.hub_search import LONGEST_QUERY, MOST, Format, SearchOrder
from inference.repository.downloads.errors import FetchFailed, NotAnId
from inference.repository.downloads.hub_names import id_in
from inference.serving import runtime
from inference.serving.discovery import hub_models, suggested_models

_PAGE_SIZE = 20
_ORDERS = {
    SearchOrder.DOWNLOADS: "Most downloads",
    SearchOrder.LIKES: "Most likes",
    SearchOrder.DATE: "Newest",
}
_FORMATS = {Format.MLX: "MLX models", Format.SAFETENSORS: "All safetensors models"}


@dataclass(frozen=True)
class Query:
    """What the form of the page asks for."""

    words: str
    order: SearchOrder
    format: Format
    most: int

    @classmethod
    def of(cls, request: HttpRequest) -> "Query":
        """Read the address; what it does not know is what an empty form has."""
        given = request.GET
        order, form, most = given.get("sort"), given.get("format"), given.get("most", "")
        return cls(
            words=given.get("q", "").strip()[:LONGEST_QUERY],
            order=SearchOrder(order) if order in set(SearchOrder) else SearchOrder.DOWNLOADS,
            format=Format(form) if form in set(Format) else Format.MLX,
            most=min(MOST, max(_PAGE_SIZE, whole_number(most) or 0)),
        )

    @property
    def address(self) -> str:
        """The query of this page's address."""
        return urlencode({"q": self.words, "sort": self.order, "format": self.format, "most": self.most})

    @property
    def more(self) -> str:
        """The query with which more results are shown."""
        more = Query(self.words, self.order, self.format, min(MOST, self.most + _PAGE_SIZE))
        return more.address


@dataclass(frozen=True)
class Results:
    """What is shown below the form: rows, and what was wrong."""

    rows: Sequence[ModelView] = ()
    problem: str = ""
    has_more: bool = False


def show(model_admin: "admin.ModelAdmin[Download]", request: HttpRequest) -> HttpResponse:
    """The page; raises PermissionDenied for those who may not view downloads."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    query = Query.of(request)
    results = _results(query) if query.words else Results()
    suggested = [] if results.rows else suggested_models.all_with_verdicts()
    context: dict[str, Any] = model_admin.admin_site.each_context(request) | {
        "title": "Discover models",
        "crumb": "Discover",
        "opts": model_admin.opts,
        "query": query,
        "results": results,
        "suggestions": discover_rows.of_suggestions(suggested),
        "suggested_on": suggested_models.AS_OF,
        "orders": _ORDERS,
        "formats": _FORMATS,
        "longest": LONGEST_QUERY,
        "memory": in_gb(runtime.pool().snapshot().limit_bytes),
        "may_add": model_admin.has_add_permission(request),
    }
    response = TemplateResponse(request, "admin/inference/discover.html", context)
    add_never_cache_headers(response)
    return response


def verdict(model_admin: "admin.ModelAdmin[Download]", request: HttpRequest) -> HttpResponse:
    """The verdict of one model as JSON, for the page's script; raises PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    response = JsonResponse(asdict(discover_rows.examined(request.GET.get("id", ""))))
    add_never_cache_headers(response)
    return response


def _results(query: Query) -> Results:
    """The one model of an id or an address, else the models with these words in their names."""
    repo = id_in(query.words)
    if repo:
        found = discover_rows.examined(repo)
        if found.can_download or found.facts:
            return Results(discover_rows.of_id(repo, found))
    try:
        models = hub_models.search(
            repo or query.words, order=query.order, format=query.format, most=query.most
        )
    except FetchFailed as error:
        return Results(problem=str(error))
    rows = discover_rows.of_found(models)
    problem = found.text if repo else "" if rows else _nothing_found(query)
    return Results(rows, problem, has_more=len(models) >= query.most < MOST)


def _nothing_found(query: Query) -> str:
    if "/" in query.words:
        return f"No models found. {NotAnId()}"
    other = " or search all safetensors models" if query.format is Format.MLX else ""
    return f"No models found. Try fewer search terms{other}."
