"""The page that asks for confirmation before an action on models, with a preview for each model."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from inference.models import ServedModel
from inference.serving import action_preview, control
from inference.serving.action_preview import PreviewAction

Run = Callable[[str], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class ActionStep:
    """One action: its question, its preview, how it runs, and the message afterwards."""

    action: str
    question: str
    button: str
    preview: PreviewAction
    run: Run
    done: str  # the message, where `run` returns none
    is_dangerous: bool = False  # the opposite action does not undo it
    is_typed: bool = False  # the model's name must be typed, because its files cannot be restored
    always_asks: bool = True  # otherwise only where a model has to go, or a request


def is_confirmed(request: HttpRequest, step: ActionStep, models: Iterable[ServedModel]) -> bool:
    """Whether the page was submitted, with the right names where they are typed; or need not be shown."""
    if "confirmed" not in request.POST:
        return not step.always_asks and _takes_nothing(step, models)
    return not step.is_typed or all(
        request.POST.get(f"typed-{model.pk}", "").strip() == model.name for model in models
    )


def _takes_nothing(step: ActionStep, models: Iterable[ServedModel]) -> bool:
    return all(preview.needs_no_question for preview in step.preview([model.name for model in models]))


def page(request: HttpRequest, step: ActionStep, models: Iterable[ServedModel]) -> TemplateResponse:
    """The page for `models`; it offers the action for those where it is possible.

    A submission that `is_confirmed` did not accept shows the page again with an error.
    """
    chosen = list(models)
    previews = list(zip(chosen, step.preview([model.name for model in chosen]), strict=True))
    possible = [model for model, preview in previews if preview.is_possible]
    context = site.each_context(request) | {
        "title": step.question.format(_named(possible)) if possible else f"{step.button}: not possible now",
        "opts": ServedModel._meta,
        "original": chosen[0] if len(chosen) == 1 else None,
        "crumb": step.button,
        "step": step,
        "previews": previews,
        "is_possible": bool(possible),
        "is_wrong": "confirmed" in request.POST and bool(possible),
        "selected": ACTION_CHECKBOX_NAME,
        "next": _origin(request),
        "origin_url": origin_url(request, chosen),
    }
    return TemplateResponse(request, "admin/inference/confirmation.html", context)


def origin_url(request: HttpRequest, models: Sequence[ServedModel]) -> str:
    """The page the action was chosen on: the dashboard, the model's page if it still exists, or the list."""
    origin = _origin(request)
    if origin == "index":
        return reverse("admin:index")
    if origin == "change" and len(models) == 1 and ServedModel.objects.filter(pk=models[0].pk).exists():
        return reverse("admin:inference_servedmodel_change", args=[models[0].pk])
    return reverse("admin:inference_servedmodel_changelist")


def _origin(request: HttpRequest) -> str:
    """The name of the page that the action was chosen on; a name, so that no foreign URL can be given."""
    origin = request.POST.get("next", "")
    return origin if origin in {"index", "change"} else "list"


def _named(models: Sequence[ServedModel]) -> str:
    return models[0].name if len(models) == 1 else f"these {len(models)} models"


LOAD = ActionStep(
    *("load", "Load {}?", "Load"),
    *(action_preview.of_loads, control.load, "Loading {}."),
    always_asks=False,
)
UNLOAD = ActionStep(
    *("unload", "Unload {} once its active requests have finished?", "Unload"),
    *(action_preview.of_unloads, control.unload, "Unloading {}, once its active requests have finished."),
    always_asks=False,
)
UNLOAD_NOW = ActionStep(
    *("unload_now", "Unload {} now, and cancel all active requests?", "Unload now"),
    *(action_preview.of_unloads_now, control.unload_now, "Unloading {} now."),
    is_dangerous=True,
)
RELOAD = ActionStep(
    *("reload", "Reload {}?", "Reload"),
    *(action_preview.of_reloads, control.reload, "Reloading {}."),
)
REMOVE = ActionStep(
    *("remove", "Delete the files of {}?", "Delete the files"),
    *(action_preview.of_removals, control.remove, ""),
    is_dangerous=True,
    is_typed=True,
)
FORGET = ActionStep(
    *("forget", "Remove the entry of {}?", "Remove entry"),
    *(action_preview.of_forgetting, control.forget, "The settings of {} are deleted."),
    is_dangerous=True,
)
DANGEROUS = frozenset(step.action for step in (UNLOAD_NOW, REMOVE, FORGET))
