"""The admin's pages about models: what each takes, what is wanted of it, and what can be done with it."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from inference.admin import confirmation
from inference.admin.confirmation import ActionStep
from inference.admin.forms import ChoiceForm
from inference.admin.model_list import Columns, ModelList
from inference.core.errors import ServerError
from inference.core.model_card import Finding, worst
from inference.models import ServedModel
from inference.pool.workers import self_test
from inference.serving import control, runtime

if TYPE_CHECKING:
    ServedModelAdminBase = admin.ModelAdmin[ServedModel]
else:
    ServedModelAdminBase = admin.ModelAdmin  # not generic at run time

Chosen = QuerySet[ServedModel]
_IN_MEMORY = {"unload": "Unload", "unload_now": "Unload now", "reload": "Reload"}
_NOT_IN_MEMORY = {"load": "Load", "remove": "Delete the files"}
_MISSING = {"forget": "Forget it"}
_ALWAYS = {"examine": "Test"}
_FROM_THE_NEXT_LOAD = {"adapter", "context_cap"}


class Button(NamedTuple):
    """One action as a model's page offers it."""

    action: str
    text: str
    is_dangerous: bool


@admin.register(ServedModel)
class ServedModelAdmin(Columns, ServedModelAdminBase):
    list_display = ("name", "state", "memory", "streams", "pinned", "size", "context", "family", "light")
    search_fields = ("name", "aliases")
    actions = ("load", "unload", "unload_now", "reload", "examine", "pin", "unpin", "remove", "forget")
    form = ChoiceForm
    fieldsets = (
        (None, {"fields": ("name", "is_enabled", "is_pinned", "idle_ttl_s", "aliases")}),
        ("Prompt format", {"fields": ("adapter", "context_cap")}),
        (
            "Default sampling",
            {"fields": ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")},
        ),
        ("Current state", {"fields": ("facts", "self_test")}),
    )
    readonly_fields = ("name", "facts", "self_test")
    change_list_template = "admin/inference/models.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ModelList

    def get_urls(self) -> list[URLPattern]:
        act = path("act/", self.admin_site.admin_view(self.act), name="inference_servedmodel_act")
        return [act, *super().get_urls()]

    def act(self, request: HttpRequest) -> HttpResponse:
        """Do one of the actions to one model: a button beside it sends both, with a blank between."""
        wanted, _, name = request.POST.get("act", "").partition(" ")
        known = self.get_actions(request)
        if request.method != "POST" or wanted not in known:
            raise PermissionDenied
        _sync()
        chosen = ServedModel.objects.filter(name=name)
        if not chosen:
            self.message_user(request, f"There is no model {name[:200]!r} here.", messages.ERROR)
            return redirect(confirmation.way_back(request, []))
        action = cast(Any, known[wanted])[0]
        response: HttpResponse | None = action(self, request, chosen)
        return response or redirect(confirmation.way_back(request, list(chosen)))

    def buttons(self, request: HttpRequest, name: str) -> list[Button]:
        """The actions that fit a model as it is now, of those that this user may do."""
        known = self.get_actions(request)
        return [
            Button(action, text, action in confirmation.DANGEROUS)
            for action, text in _fitting(name).items()
            if action in known
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        model = self.get_object(request, object_id)
        buttons = self.buttons(request, model.name) if model else []
        return super().change_view(request, object_id, form_url, (extra_context or {}) | {"buttons": buttons})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ServedModel | None = None) -> bool:
        return self.has_run_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ServedModel | None = None) -> bool:
        return False

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.run_servedmodel")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.remove_servedmodel")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _sync()
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: ServedModel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # The page saves in a transaction: before its end nobody else sees what was chosen.
        transaction.on_commit(partial(self._do, request, control.refresh, obj.name))
        is_loaded = runtime.pool().snapshot().of(obj.name).state.is_in_memory
        if is_loaded and obj.is_enabled and _FROM_THE_NEXT_LOAD.intersection(form.changed_data):
            text = f"What is in memory of {obj.name} is as before. Reload it to apply this."
            self.message_user(request, text, messages.WARNING)
        if obj.is_pinned and not obj.is_enabled and "is_enabled" in form.changed_data:
            text = f"The model {obj.name} stays pinned: it is loaded at the next start that finds it enabled."
            self.message_user(request, text, messages.INFO)

    @admin.display(description="As loaded")
    def facts(self, model: ServedModel) -> str:
        loaded = runtime.pool().snapshot().of(model.name).loaded
        if loaded is None:
            return "Load the model to see its adapter, stop tokens and device."
        told = {
            "Adapter": loaded.adapter,
            "Stop tokens": " ".join(loaded.stop_tokens) or "none",
            "Device": " with ".join(filter(None, (loaded.device, loaded.blas))),
            "Context": f"{loaded.context_length:,} tokens",
            "Each token of context": f"{loaded.kv_bytes_per_token:,} bytes",
            "Loaded in": f"{loaded.seconds:.1f} s",
        }
        return format_html_join(mark_safe("<br>"), "{}: {}", told.items())

    @admin.display(description="Self-test")
    def self_test(self, model: ServedModel) -> str:
        if model.findings is None:
            return "Test or load the model to have its template, roles, stop tokens and tools tried."
        found = [finding["text"] for finding in model.findings]
        light = format_html('<span data-light="{}">{}</span>', model.light, model.light)
        return format_html_join(mark_safe("<br>"), "{}", [(line,) for line in (light, *found)])

    @admin.action(description="Load the selected models", permissions=["run"])
    def load(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.LOAD)

    @admin.action(
        description="Unload the selected models, once their answers have ended", permissions=["run"]
    )
    def unload(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.UNLOAD)

    @admin.action(description="Unload the selected models now", permissions=["run"])
    def unload_now(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.UNLOAD_NOW)

    @admin.action(description="Reload the selected models, and test them again", permissions=["run"])
    def reload(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.RELOAD)

    @admin.action(description="Delete the files of the selected models", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.REMOVE)

    @admin.action(
        description="Forget the selected models, whose folders are not there", permissions=["remove"]
    )
    def forget(self, request: HttpRequest, queryset: Chosen) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.FORGET)

    @admin.action(
        description="Test the template, roles, stops and tools of the selected models", permissions=["run"]
    )
    def examine(self, request: HttpRequest, queryset: Chosen) -> None:
        cards = {model.name: card for model in queryset if (card := runtime.catalog().exact(model.name))}
        found = self_test.examine(list(cards.values()))
        for model in queryset:
            if model.name in found:
                self._tell_test(request, model, found[model.name])
            elif model.name not in cards:
                self.message_user(request, f"The folder of {model.name} is not there now.", messages.ERROR)
            else:
                text = f"The test of {model.name} did not come to an end; the server's log may say why."
                self.message_user(request, text, messages.ERROR)

    def _tell_test(self, request: HttpRequest, model: ServedModel, found: tuple[Finding, ...]) -> None:
        ServedModel.objects.filter(pk=model.pk).update(findings=msgspec.to_builtins(found))
        light, loaded = worst(found), runtime.pool().snapshot().of(model.name).loaded
        text = " ".join(finding.text for finding in found) or "Nothing is wrong with it."
        if loaded and loaded.findings != found:
            text += " What is in memory is older; reload it."
        self.log_change(request, model, f"Tested: {light}.")
        level = messages.SUCCESS if light == "green" else messages.WARNING
        self.message_user(request, f"Tested {model.name}: {light}. {text}", level)

    @admin.action(description="Pin the selected models", permissions=["run"])
    def pin(self, request: HttpRequest, queryset: Chosen) -> None:
        self._each(request, queryset, control.pin, "Pinned {}.")

    @admin.action(description="Unpin the selected models", permissions=["run"])
    def unpin(self, request: HttpRequest, queryset: Chosen) -> None:
        self._each(request, queryset, control.unpin, "Unpinned {}.")

    def _confirmed(self, request: HttpRequest, queryset: Chosen, step: ActionStep) -> HttpResponse:
        """Ask first; once that is answered, do it to each, and go back to where it was asked for."""
        chosen = list(queryset)
        if not confirmation.is_confirmed(request, step, chosen):
            return confirmation.page(request, step, chosen)
        self._each(request, chosen, step.act, step.done)
        _sync()
        return redirect(confirmation.way_back(request, chosen))

    def _each(
        self,
        request: HttpRequest,
        models: Iterable[ServedModel],
        act: Callable[[str], Coroutine[Any, Any, Any]],
        done: str,
    ) -> None:
        for model in models:
            if words := self._do(request, act, model.name, done):
                self.log_change(request, model, words)
                self.message_user(request, words, messages.SUCCESS)

    def _do(
        self, request: HttpRequest, act: Callable[[str], Coroutine[Any, Any, Any]], name: str, done: str = ""
    ) -> str:
        """Do it on the pool's loop, and say what was done; empty, with a message, when it cannot be done."""
        try:
            outcome = runtime.run_on_loop(act(name))
        except ServerError as error:
            text = str(error) if name in str(error) else f"{name}: {error}"
            self.message_user(request, text, messages.ERROR)
            return ""
        return outcome if isinstance(outcome, str) else done.format(name)


def _fitting(name: str) -> dict[str, str]:
    """What can be done with a model as it is now, with the words on its button."""
    if runtime.pool().snapshot().of(name).state.is_in_memory:
        return _IN_MEMORY | _ALWAYS
    return _NOT_IN_MEMORY | _ALWAYS if runtime.catalog().exact(name) else _MISSING


def _sync() -> None:
    """Have the database know of the models that are on disk now."""
    ServedModel.objects.sync(card.id for card in runtime.catalog().scan())
