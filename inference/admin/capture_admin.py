"""The admin's pages of captures, which store prompts and answers for a limited time."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from inference.admin.capture_deletion import WIPE, confirm_and_wipe, has_wipe_permission
from inference.models.request_record import Capture

if TYPE_CHECKING:
    CaptureAdminBase = admin.ModelAdmin[Capture]
else:
    CaptureAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(Capture)
class CaptureAdmin(CaptureAdminBase):
    list_display = ("reason", "state", "started", "end", "began_by")
    list_select_related = ("began_by",)
    fields = ("until", "reason")
    actions = ("stop", "wipe")

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

    @admin.display(description="Started (UTC)", ordering="began_at")
    def started(self, capture: Capture) -> str:
        return f"{capture.began_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Ends (UTC)", ordering="until")
    def end(self, capture: Capture) -> str:
        return f"{capture.until:%Y-%m-%d %H:%M:%S}"

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
