"""The admin's pages of models: their state, their settings, and the actions on them."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from inference.admin import confirmation, quantisation_admin
from inference.admin.agent_aliases import AgentAliases
from inference.admin.confirmation import ActionStep
from inference.admin.current_state import CurrentState
from inference.admin.forms import ModelSettingsForm
from inference.admin.model_list import Columns, ModelList
from inference.admin.profile_inline import ProfileInline
from inference.core.errors import ServerError
from inference.models import ServedModel
from inference.serving import control, model_settings, model_tests, runtime
from inference.serving.model_tests import SelfTestReport

if TYPE_CHECKING:
    ServedModelAdminBase = admin.ModelAdmin[ServedModel]
else:
    ServedModelAdminBase = admin.ModelAdmin  # not generic at run time

Models = QuerySet[ServedModel]
Operation = Callable[[str], Coroutine[Any, Any, Any]]
_IN_MEMORY = {"unload": "Unload", "unload_now": "Unload now", "reload": "Reload"}
_NOT_IN_MEMORY = {"load": "Load", "remove": "Delete the files"}
_MISSING = {"forget": "Remove entry"}
_REMOTE = {"answer_agents": "Answer to agents' names"}
_ALWAYS = {"examine": "Test", **_REMOTE}


class ActionButton(NamedTuple):
    """A button for one action on a model's page."""

    action: str
    text: str
    is_dangerous: bool


@admin.register(ServedModel)
class ServedModelAdmin(AgentAliases, Columns, CurrentState, ServedModelAdminBase):
    list_display = ("name_and_family", "state", "memory", "streams", "context", "works", "acts")
    search_fields = ("name", "aliases")
    actions = (
        *("load", "unload", "unload_now", "reload", "examine", "pin", "unpin", "answer_agents"),
        *("remove", "forget"),
    )
    form = ModelSettingsForm
    inlines = (ProfileInline,)
    fieldsets = (
        (None, {"fields": ("name", "is_enabled", "is_pinned", "idle_ttl_s", "aliases")}),
        ("Prompt format", {"fields": ("adapter", "context_cap")}),
        ("Memory", {"fields": ("kv_bits", "ranks")}),
        ("Speed", {"fields": ("speculation", "draft_model")}),
        (
            "Default sampling",
            {"fields": ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")},
        ),
        ("Current state", {"fields": ("facts", "self_test", "lora_adapters", "quantised", "decisions")}),
    )
    readonly_fields = ("name", "facts", "self_test", "lora_adapters", "quantised", "decisions")
    change_list_template = "admin/inference/models.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ModelList

    def get_urls(self) -> list[URLPattern]:
        act = path("act/", self.admin_site.admin_view(self.act), name="inference_servedmodel_act")
        return [act, *super().get_urls()]

    def act(self, request: HttpRequest) -> HttpResponse:
        """Run an action on one model; a button sends them as `act`, with a space between.

        Raises PermissionDenied for an action that this user may not use.
        """
        name_of_action, _, name = request.POST.get("act", "").partition(" ")
        allowed = self.get_actions(request)
        if request.method != "POST" or name_of_action not in allowed:
            raise PermissionDenied
        _sync()
        models = ServedModel.objects.filter(name=name)
        if not models:
            self.message_user(request, f"There is no model {name[:200]!r}.", messages.ERROR)
            return redirect(confirmation.origin_url(request, []))
        action = cast(Any, allowed[name_of_action])[0]
        response: HttpResponse | None = action(self, request, models)
        return response or redirect(confirmation.origin_url(request, list(models)))

    def buttons(self, request: HttpRequest, name: str) -> list[ActionButton]:
        """The actions that apply to the model's current state, of those that this user may use."""
        allowed = self.get_actions(request)
        found = [
            ActionButton(action, text, action in confirmation.DANGEROUS)
            for action, text in _applicable(name).items()
            if action in allowed
        ]
        return sorted(found, key=lambda button: button.is_dangerous)  # the others first

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        model = self.get_object(request, object_id)
        context = {
            "buttons": self.buttons(request, model.name) if model else [],
            "quantise_url": quantisation_admin.form_url(request, model),
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

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
        # The page saves in a transaction; other connections see the settings only after its end.
        transaction.on_commit(partial(self._run, request, control.refresh, obj.name))
        is_loaded = runtime.pool().snapshot().of(obj.name).state.is_in_memory
        if is_loaded and obj.is_enabled and set(model_settings.AT_LOAD).intersection(form.changed_data):
            text = f"The model {obj.name} still has its earlier settings in memory. Reload it to apply these."
            self.message_user(request, text, messages.WARNING)
        if obj.is_pinned and not obj.is_enabled and "is_enabled" in form.changed_data:
            text = f"The model {obj.name} stays pinned: once enabled, it is loaded when the site starts."
            self.message_user(request, text, messages.INFO)

    @admin.action(description="Load the selected models", permissions=["run"])
    def load(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.LOAD)

    @admin.action(
        description="Unload the selected models once their active requests have finished", permissions=["run"]
    )
    def unload(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.UNLOAD)

    @admin.action(description="Unload the selected models now", permissions=["run"])
    def unload_now(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.UNLOAD_NOW)

    @admin.action(description="Reload the selected models, and test them again", permissions=["run"])
    def reload(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.RELOAD)

    @admin.action(description="Delete the files of the selected models", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.REMOVE)

    @admin.action(
        description="Remove the entries of the selected models, whose folders no longer exist",
        permissions=["remove"],
    )
    def forget(self, request: HttpRequest, queryset: Models) -> HttpResponse:
        return self._confirmed(request, queryset, confirmation.FORGET)

    @admin.action(
        description="Test the chat template, roles, stop tokens and tools of the selected models",
        permissions=["run"],
    )
    def examine(self, request: HttpRequest, queryset: Models) -> None:
        models = {model.name: model for model in queryset}
        for found in model_tests.run(models):
            if isinstance(found, SelfTestReport):
                self._show_report(request, models[found.model], found)
            else:
                level = messages.WARNING if found.is_remote else messages.ERROR
                self.message_user(request, found.text, level)

    def _show_report(self, request: HttpRequest, model: ServedModel, found: SelfTestReport) -> None:
        text = " ".join(found.texts) or "No problems were found."
        if found.is_earlier_in_memory:
            text += " The model in memory has earlier findings; reload it."
        self.log_change(request, model, f"Tested: {found.summary}.")
        level = messages.SUCCESS if found.tone in {"green", "grey"} else messages.WARNING
        self.message_user(request, f"Tested {model.name}. {found.summary}. {text}", level)

    @admin.action(description="Pin the selected models", permissions=["run"])
    def pin(self, request: HttpRequest, queryset: Models) -> None:
        self._run_each(request, queryset, control.pin, "Pinned {}.")

    @admin.action(description="Unpin the selected models", permissions=["run"])
    def unpin(self, request: HttpRequest, queryset: Models) -> None:
        self._run_each(request, queryset, control.unpin, "Unpinned {}.")

    def _confirmed(self, request: HttpRequest, queryset: Models, step: ActionStep) -> HttpResponse:
        """Ask for confirmation; once confirmed, run the step for each model and go back."""
        models = list(queryset)
        if not confirmation.is_confirmed(request, step, models):
            return confirmation.page(request, step, models)
        self._run_each(request, models, step.run, step.done)
        _sync()
        return redirect(confirmation.origin_url(request, models))

    def _run_each(
        self, request: HttpRequest, models: Iterable[ServedModel], operation: Operation, done: str
    ) -> None:
        for model in models:
            if message := self._run(request, operation, model.name, done):
                self.log_change(request, model, message)
                self.message_user(request, message, messages.SUCCESS)

    def _run(self, request: HttpRequest, operation: Operation, name: str, done: str = "") -> str:
        """Run `operation` on the event loop, and return its own message or else `done` with the name.

        Empty, after a message to the user, when it raised a ServerError.
        """
        try:
            outcome = runtime.run_on_loop(operation(name))
        except ServerError as error:
            text = str(error) if name in str(error) else f"{name}: {error}"
            self.message_user(request, text, messages.ERROR)
            return ""
        return outcome if isinstance(outcome, str) else done.format(name)


def _applicable(name: str) -> dict[str, str]:
    """The actions that apply to the model's current state, with the texts of their buttons."""
    card = runtime.catalog().exact(name)
    if card and card.is_remote:
        return _REMOTE
    if runtime.pool().snapshot().of(name).state.is_in_memory:
        return _IN_MEMORY | _ALWAYS
    return _NOT_IN_MEMORY | _ALWAYS if card else _MISSING


def _sync() -> None:
    """Add the models that are on disk now to the database."""
    ServedModel.objects.sync(card.id for card in runtime.catalog().scan())
