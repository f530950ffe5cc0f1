"""The admin's page of usage, and its CSV."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

from inference.admin.page_admin import PageAdmin
from inference.admin.usage.usage_page import UsageQuery, context
from inference.admin.usage.visitor_zone import zone_of
from inference.models import UsageHour
from inference.serving.usage.csv_export import as_csv
from inference.serving.usage.report import by_period


@admin.register(UsageHour)
class UsageHourAdmin(PageAdmin):
    """Whoever may view request records may view what they add up to."""

    def get_urls(self) -> list[URLPattern]:
        table = path("csv/", self.admin_site.admin_view(self.csv), name="inference_usagehour_csv")
        return [table, *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: UsageHour | None = None) -> bool:
        return request.user.has_perm("inference.view_requestrecord")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.check_may_view(request)  # before the rows are added up
        shown = context(request, zone_of(request))
        return self.page(request, "admin/inference/usage.html", "Usage", shown)

    def csv(self, request: HttpRequest) -> HttpResponse:
        """Every name in every hour or day of the range."""
        self.check_may_view(request)
        choice = UsageQuery.of(request.GET)
        rows = by_period(choice.range, choice.by, zone_of(request))
        response = HttpResponse(as_csv(rows, choice.by), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="usage-{choice.by}-{choice.range}.csv"'
        add_never_cache_headers(response)
        return response
