"""The page that asks before an action on models is carried out, and says what it will do to each."""

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

Act = Callable[[str], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class ActionStep:
    """One action: its question, its preview, how it is carried out, and the message afterwards."""

    action: str
    question: str
    button: str
    preview: PreviewAction
    act: Act
    done: str  # unless what `act` returns says it
    is_dangerous: bool = False  # what it ends is not had back by the opposite action
    is_typed: bool = False  # the model's name has to be typed, since nothing brings its files back


def is_confirmed(request: HttpRequest, step: ActionStep, models: Iterable[ServedModel]) -> bool:
    """Whether the page was answered, and where names are to be typed, with the right ones."""
    if "confirmed" not in request.POST:
        return False
    return not step.is_typed or all(
        request.POST.get(f"typed-{model.pk}", "").strip() == model.name for model in models
    )


def page(request: HttpRequest, step: ActionStep, models: Iterable[ServedModel]) -> TemplateResponse:
    """The question, for those of the models that it can be done to; a wrong name is pointed out."""
    chosen = list(models)
    previews = list(zip(chosen, step.preview([model.name for model in chosen]), strict=True))
    able = [model for model, preview in previews if preview.is_possible]
    context = site.each_context(request) | {
        "title": step.question.format(_named(able)) if able else f"{step.button}: not possible now",
        "step": step,
        "previews": previews,
        "is_possible": bool(able),
        "is_wrong": "confirmed" in request.POST and bool(able),
        "selected": ACTION_CHECKBOX_NAME,
        "next": _origin(request),
        "way_back": way_back(request, chosen),
    }
    return TemplateResponse(request, "admin/inference/confirmation.html", context)


def way_back(request: HttpRequest, models: Sequence[ServedModel]) -> str:
    """Where this was asked for: the dashboard, the one model's page while there is one, or the list."""
    origin = _origin(request)
    if origin == "index":
        return reverse("admin:index")
    if origin == "change" and len(models) == 1 and ServedModel.objects.filter(pk=models[0].pk).exists():
        return reverse("admin:inference_servedmodel_change", args=[models[0].pk])
    return reverse("admin:inference_servedmodel_changelist")


def _origin(request: HttpRequest) -> str:
    """By name, so that no address of somebody else's can be given."""
    origin = request.POST.get("next", "")
    return origin if origin in {"index", "change"} else "list"


def _named(models: Sequence[ServedModel]) -> str:
    return models[0].name if len(models) == 1 else f"these {len(models)} models"


LOAD = ActionStep(
    *("load", "Load {}?", "Load"),
    *(action_preview.of_loads, control.load, "Loading {}."),
)
UNLOAD = ActionStep(
    *("unload", "Unload {} once all answers have ended?", "Unload"),
    *(action_preview.of_unloads, control.unload, "Unloading {}, once its last stream has ended."),
)
UNLOAD_NOW = ActionStep(
    *("unload_now", "Unload {} now, and break off all answers?", "Unload now"),
    *(action_preview.of_unloads_now, control.unload_now, "Unloading {} now."),
    is_dangerous=True,
)
RELOAD = ActionStep(
    *("reload", "Load {} anew?", "Reload"),
    *(action_preview.of_reloads, control.reload, "Loading {} anew."),
)
REMOVE = ActionStep(
    *("remove", "Delete the files of {}?", "Delete the files"),
    *(action_preview.of_removals, control.remove, ""),
    is_dangerous=True,
    is_typed=True,
)
FORGET = ActionStep(
    *("forget", "Forget {}?", "Forget it"),
    *(action_preview.of_forgetting, control.forget, "What was chosen for {} is forgotten."),
    is_dangerous=True,
)
DANGEROUS = frozenset(step.action for step in (UNLOAD_NOW, REMOVE, FORGET))
