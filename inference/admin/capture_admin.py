"""The admin's pages of captures, which store prompts and answers for a limited time."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from inference.admin.capture_deletion import WIPE, confirm_and_wipe, has_wipe_permission
from inference.admin.row_buttons import RowButton, row_buttons
from inference.admin.times import local_time
from inference.admin.utc_input import OVERRIDES as UTC_INPUT
from inference.core.whole_number import whole_number
from inference.models.request_record import Capture

if TYPE_CHECKING:
    CaptureAdminBase = admin.ModelAdmin[Capture]
else:
    CaptureAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(Capture)
class CaptureAdmin(CaptureAdminBase):
    list_display = ("reason", "state", "started", "end", "began_by", "acts")
    list_select_related = ("began_by",)
    fields = ("until", "reason")
    formfield_overrides = UTC_INPUT
    actions = ("stop", "wipe")

    def get_urls(self) -> list[URLPattern]:
        act = path("act/", self.admin_site.admin_view(self.act), name="inference_capture_act")
        return [act, *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if self.has_stop_permission(request) else self.list_display[:-1]

    def act(self, request: HttpRequest) -> HttpResponse:
        """Stop the capture that a row's button names, as `stop NUMBER`; raises PermissionDenied."""
        if request.method != "POST" or not self.has_stop_permission(request):
            raise PermissionDenied
        number = whole_number(str(request.POST.get("act", "")).removeprefix("stop "))
        self.stop(request, Capture.objects.filter(pk=number or 0))
        return redirect("admin:inference_capture_changelist")

    def has_change_permission(self, request: HttpRequest, obj: Capture | None = None) -> bool:
        return False  # a capture is a record: it can only be stopped, and another one started

    def has_delete_permission(self, request: HttpRequest, obj: Capture | None = None) -> bool:
        return False  # that would keep the stored text; an action of its own deletes it

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.change_capture")

    def has_wipe_permission(self, request: HttpRequest) -> bool:
        return has_wipe_permission(request)

    def save_model(self, request: HttpRequest, obj: Capture, form: Any, change: bool) -> None:
        if request.user.is_authenticated:
            obj.began_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description="State")
    def state(self, capture: Capture) -> str:
        return "active" if capture.is_on else "ended"

    @admin.display(description="Started", ordering="began_at")
    def started(self, capture: Capture) -> str:
        return local_time(capture.began_at)

    @admin.display(description="Ends", ordering="until")
    def end(self, capture: Capture) -> str:
        return local_time(capture.until)

    @admin.display(description="Actions")
    def acts(self, capture: Capture) -> str:
        url = reverse("admin:inference_capture_act")
        return row_buttons(
            *([RowButton("Stop", capture.reason, url, f"stop {capture.pk}")] if capture.is_on else [])
        )

    @admin.action(description="Stop the selected captures now", permissions=["stop"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Capture]) -> None:
        for capture in queryset:
            if capture.is_on:
                capture.stop()
                self.log_change(request, capture, "Stopped.")
                self.message_user(request, f"Stopped: {capture.reason}.", messages.SUCCESS)

    @admin.action(description=WIPE, permissions=["wipe"])
    def wipe(self, request: HttpRequest, queryset: QuerySet[Capture]) -> HttpResponse | None:
        return confirm_and_wipe(self, request, Capture.objects.records(queryset))
