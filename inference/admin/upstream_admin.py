"""The admin's pages of upstreams: other servers that serve models of this site."""

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from inference.admin.row_buttons import RowButton, row_buttons
from inference.admin.upstream_form import UpstreamForm
from inference.core.errors import ServerError
from inference.models import Upstream, UpstreamModel
from inference.serving import runtime, upstreams
from inference.storage import upstream_routes

if TYPE_CHECKING:
    UpstreamAdminBase = admin.ModelAdmin[Upstream]
else:
    UpstreamAdminBase = admin.ModelAdmin  # not generic at run time


class UpstreamModelInline(admin.StackedInline):  # type: ignore[type-arg]
    model = UpstreamModel
    extra = 0
    min_num = 1
    verbose_name, verbose_name_plural = "model", "Models"
    fields = (("model", "name"), ("context_length", "most_streams"), ("takes_tools", "can_reason", "sees"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # for all users who may see the upstream

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.change_upstream")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.change_upstream")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.change_upstream")


@admin.register(Upstream)
class UpstreamAdmin(UpstreamAdminBase):
    form = UpstreamForm
    inlines = (UpstreamModelInline,)
    list_display = ("name", "base_url", "engine", "served", "health")
    list_filter = ("is_enabled", "engine")
    search_fields = ("name", "base_url", "models__model", "models__name")
    search_help_text = "Searches the name, the base URL and the models."
    readonly_fields = ("health",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("models")

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [path("act/", act, name="inference_upstream_act"), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> Any:
        if not self.has_change_permission(request):
            return self.list_display
        return [*self.list_display, "acts"]

    def get_fieldsets(self, request: HttpRequest, obj: Upstream | None = None) -> Any:
        key: tuple[str, ...] = ("key", "removes_key") if obj and obj.sealed_key else ("key",)
        if not self.has_change_permission(request, obj) and obj:
            key = ()
        state = ("health",) if obj else ()
        return [(None, {"fields": ("name", "base_url", "engine", "is_enabled", *key, *state)})]

    @admin.display(description="Models")
    def served(self, upstream: Upstream) -> str:
        return ", ".join(row.model for row in upstream.models.all()) or "–"

    @admin.display(description="Health")
    def health(self, upstream: Upstream) -> str:
        if problem := upstream_routes.address_problem(upstream):
            return problem
        words = [(row.model, upstreams.status_text(row)) for row in upstream.models.all()]
        return format_html_join(mark_safe("<br>"), "{}: {}", words) if words else "no models"

    @admin.display(description="Actions")
    def acts(self, upstream: Upstream) -> str:
        url = reverse("admin:inference_upstream_act")
        return row_buttons(RowButton("Test", upstream.name, url, f"test {upstream.name}"))

    def act(self, request: HttpRequest) -> HttpResponse:
        """Test the upstream that a row's button names, as `test NAME`, and say what it answers."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        name = request.POST.get("act", "").removeprefix("test ")
        try:
            found = async_to_sync(upstreams.test)(name)
        except ServerError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            level = messages.SUCCESS if found.answers else messages.WARNING
            self.message_user(request, found.text, level)
        return redirect("admin:inference_upstream_changelist")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        runtime.catalog().forget()

    def delete_model(self, request: HttpRequest, obj: Upstream) -> None:
        super().delete_model(request, obj)
        runtime.catalog().forget()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        runtime.catalog().forget()
