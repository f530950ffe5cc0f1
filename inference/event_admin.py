"""The admin's page about what the pool decided."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from inference.models import PoolEvent
from inference.pool.budget import in_gb

if TYPE_CHECKING:
    PoolEventAdminBase = admin.ModelAdmin[PoolEvent]
else:
    PoolEventAdminBase = admin.ModelAdmin  # not generic at run time


@admin.register(PoolEvent)
class PoolEventAdmin(PoolEventAdminBase):
    list_display = ("at", "kind", "model", "text", "needed", "free", "limit")
    list_filter = ("kind", "model")
    search_fields = ("text", "model")
    date_hierarchy = "at"
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PoolEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PoolEvent | None = None) -> bool:
        return False

    @admin.display(description="Needed", ordering="needed_bytes")
    def needed(self, event: PoolEvent) -> str:
        return _gb(event.needed_bytes)

    @admin.display(description="Free", ordering="free_bytes")
    def free(self, event: PoolEvent) -> str:
        return _gb(event.free_bytes)

    @admin.display(description="Limit", ordering="limit_bytes")
    def limit(self, event: PoolEvent) -> str:
        return _gb(event.limit_bytes)


def _gb(amount: int) -> str:
    return in_gb(amount) if amount else "–"
