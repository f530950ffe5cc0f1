"""The admin's page of pool events: the decisions of the scheduler, with the memory figures behind them."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst

from inference.admin.frequent_values import FrequentValues
from inference.admin.times import local_time
from inference.core.units import in_gb
from inference.models import PoolEvent

if TYPE_CHECKING:
    PoolEventAdminBase = admin.ModelAdmin[PoolEvent]
else:
    PoolEventAdminBase = admin.ModelAdmin  # not generic at run time

_NONE = "–"


@admin.register(PoolEvent)
class PoolEventAdmin(PoolEventAdminBase):
    list_display = ("decision", "type", "time")
    list_filter = ("kind", ("model", FrequentValues))
    search_fields = ("text", "model")
    search_help_text = "Searches the text of the decision and the model."
    date_hierarchy = "at"
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: PoolEvent | None = None) -> Any:
        return ("decision", "type", "model", "time", "needed", "free", "limit", "duration")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PoolEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PoolEvent | None = None) -> bool:
        return False

    @admin.display(description="Decision", ordering="text")
    def decision(self, event: PoolEvent) -> str:
        return str(capfirst(event.text))

    @admin.display(description="Kind", ordering="kind")
    def type(self, event: PoolEvent) -> str:
        return event.kind.replace("_", " ")

    @admin.display(description="Time", ordering="at")
    def time(self, event: PoolEvent) -> str:
        return local_time(event.at, has_seconds=True)

    @admin.display(description="Memory needed")
    def needed(self, event: PoolEvent) -> str:
        return _gb(event.needed_bytes)

    @admin.display(description="Memory free then")
    def free(self, event: PoolEvent) -> str:
        return _gb(event.free_bytes)

    @admin.display(description="Memory budget")
    def limit(self, event: PoolEvent) -> str:
        return _gb(event.limit_bytes)

    @admin.display(description="Duration")
    def duration(self, event: PoolEvent) -> str:
        return f"{event.seconds:.1f} s" if event.seconds else _NONE


def _gb(amount: int) -> str:
    return in_gb(amount) if amount else _NONE
