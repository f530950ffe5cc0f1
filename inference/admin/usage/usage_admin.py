"""The admin's page of usage, and its CSV."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

from inference.admin.local_time import zone_of
from inference.admin.usage.usage_page import Choice, context
from inference.models import UsageHour
from inference.serving.usage.report import by_period
from inference.serving.usage.spreadsheet import as_csv

if TYPE_CHECKING:
    UsageHourAdminBase = admin.ModelAdmin[UsageHour]
else:
    UsageHourAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(UsageHour)
class UsageHourAdmin(UsageHourAdminBase):
    """Whoever may view request records may view what they add up to."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        table = self.admin_site.admin_view(self.csv)
        return [
            path("", page, name="inference_usagehour_changelist"),
            path("csv/", table, name="inference_usagehour_csv"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: UsageHour | None = None) -> bool:
        return request.user.has_perm("inference.view_requestrecord")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UsageHour | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UsageHour | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = context(Choice.of(request.GET), zone_of(request))
        site = self.admin_site.each_context(request) | {"title": "Usage", "opts": self.opts}
        response = TemplateResponse(request, "admin/inference/usage.html", site | shown)
        add_never_cache_headers(response)
        return response

    def csv(self, request: HttpRequest) -> HttpResponse:
        """Every name in every hour or day of the range."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        choice = Choice.of(request.GET)
        rows = by_period(choice.range, choice.by, zone_of(request))
        response = HttpResponse(as_csv(rows, choice.by), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="usage-{choice.by}-{choice.range}.csv"'
        add_never_cache_headers(response)
        return response
