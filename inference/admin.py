"""The admin's list of models: what is resident, what it takes, and the two things one may do about it."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.utils.html import format_html

from inference import runtime
from inference.errors import ServerError
from inference.models import ServedModel
from inference.pool.budget import in_gb
from inference.types import ModelCard, ResidentModel

if TYPE_CHECKING:
    ServedModelAdminBase = admin.ModelAdmin[ServedModel]
else:
    ServedModelAdminBase = admin.ModelAdmin  # Django's own class is not generic at run time

admin.site.site_header = "mlxsite"
admin.site.site_title = "mlxsite"
admin.site.index_title = "Models and people"


@admin.register(ServedModel)
class ServedModelAdmin(ServedModelAdminBase):
    list_display = ("name", "state", "memory", "streams", "size", "context", "family")
    list_display_links = None
    search_fields = ("name",)
    actions = ("load", "unload")
    change_list_template = "admin/inference/models.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ServedModel | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ServedModel | None = None) -> bool:
        return False

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.run_servedmodel")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        ServedModel.objects.sync(card.id for card in runtime.catalog().scan())
        snapshot = runtime.pool().snapshot()
        shown = {
            "title": "Models",
            "pool": snapshot,
            "reserved_gb": _gb(snapshot.reserved_bytes),
            "limit_gb": _gb(snapshot.limit_bytes),
        }
        return super().changelist_view(request, (extra_context or {}) | shown)

    @admin.display(description="State")
    def state(self, model: ServedModel) -> str:
        card, resident = _card(model), _resident(model)
        if card and card.problem:
            return f"cannot be served: {card.problem}"
        percent = f" {resident.loaded_percent} %" if resident.state == "loading" else ""
        reason = f": {resident.reason}" if resident.reason else ""
        return format_html('<span data-state="{}">{}{}{}</span>', model.name, resident.state, percent, reason)

    @admin.display(description="Memory")
    def memory(self, model: ServedModel) -> str:
        resident = _resident(model)
        return format_html(
            '<span data-memory="{}">{}</span>', model.name, _gb(resident.reserved_bytes) or "–"
        )

    @admin.display(description="Busy streams")
    def streams(self, model: ServedModel) -> str:
        return format_html('<span data-streams="{}">{}</span>', model.name, _resident(model).leases)

    @admin.display(description="Needs")
    def size(self, model: ServedModel) -> str:
        card = _card(model)
        return _gb(card.resident_bytes) if card else "–"

    @admin.display(description="Context")
    def context(self, model: ServedModel) -> str:
        card = _card(model)
        return f"{card.context_length:,}" if card else "–"

    @admin.display(description="Family")
    def family(self, model: ServedModel) -> str:
        card = _card(model)
        return card.family if card else "–"

    @admin.action(description="Load the selected models", permissions=["run"])
    def load(self, request: HttpRequest, queryset: QuerySet[ServedModel]) -> None:
        self._each(request, queryset, runtime.pool().load, "Loading {}.")

    @admin.action(description="Unload the selected models", permissions=["run"])
    def unload(self, request: HttpRequest, queryset: QuerySet[ServedModel]) -> None:
        self._each(request, queryset, runtime.pool().unload, "Unloading {}, once its last stream has ended.")

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[ServedModel],
        act: Callable[[str], Coroutine[Any, Any, Any]],
        done: str,
    ) -> None:
        for model in queryset:
            try:
                runtime.run_on_loop(act(model.name))
            except (ServerError, RuntimeError, TimeoutError) as error:
                self.message_user(request, f"{model.name}: {error}", messages.ERROR)
            else:
                self.message_user(request, done.format(model.name), messages.SUCCESS)


def _card(model: ServedModel) -> ModelCard | None:
    return runtime.catalog().find(model.name)


def _resident(model: ServedModel) -> ResidentModel:
    return runtime.pool().snapshot().of(model.name)


def _gb(amount: int) -> str:
    return in_gb(amount) if amount else ""
