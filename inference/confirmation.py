"""The page that asks before an action on models is carried out, and says what it will do to each."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin import site
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse

from inference import control, runtime
from inference.models import ServedModel
from inference.pool.budget import in_gb
from inference.sources import removal
from inference.types import ModelState

_GONE = "Its folder is not there now."
Act = Callable[[str], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Step:
    """One action: its question, what it will do to each model, how it is done, and how that is told."""

    action: str
    question: str
    button: str
    foretell: Callable[[Sequence[str]], Iterable[str]]
    act: Act
    done: str
    is_typed: bool = False  # the model's name has to be typed, since nothing brings its files back


def is_confirmed(request: HttpRequest, step: Step, models: Iterable[ServedModel]) -> bool:
    """Whether the page was answered, and where names are to be typed, with the right ones."""
    if "confirmed" not in request.POST:
        return False
    return not step.is_typed or all(
        request.POST.get(f"typed-{model.pk}", "").strip() == model.name for model in models
    )


def page(request: HttpRequest, step: Step, models: Iterable[ServedModel]) -> TemplateResponse:
    """The question; a wrong name is pointed out."""
    chosen = list(models)
    told = step.foretell([model.name for model in chosen])
    context = site.each_context(request) | {
        "title": step.question,
        "step": step,
        "models": list(zip(chosen, told, strict=True)),
        "is_wrong": "confirmed" in request.POST,
        "selected": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/inference/confirmation.html", context)


def _of_loads(names: Sequence[str]) -> list[str]:
    cards = {name: card for name in names if (card := runtime.catalog().find(name))}
    told = dict(zip(cards, runtime.pool().foresee(*cards.values()), strict=True))
    return [told[name].words if name in told else _GONE for name in names]


def _of_each(foretell: Callable[[str], str]) -> Callable[[Sequence[str]], Iterable[str]]:
    """For what is done to one model without a consequence for the next."""
    return lambda names: map(foretell, names)


def _of_unload(name: str) -> str:
    shown = runtime.pool().snapshot().of(name)
    if not shown.state.is_in_memory:
        return "It is not in memory."
    if shown.state == ModelState.LOADING:
        return "It is still loading. That is broken off, unless requests wait for it."
    return f"{_streams(shown.leases)} first; then {in_gb(shown.reserved_bytes)} are free again."


def _streams(count: int) -> str:
    if not count:
        return "Nobody uses it now, so nothing has to end"
    return "Its one answer under way ends" if count == 1 else f"Its {count} answers under way end"


def _of_unload_now(name: str) -> str:
    shown = runtime.pool().snapshot().of(name)
    if not shown.state.is_in_memory:
        return "It is not in memory."
    if shown.state == ModelState.LOADING:
        return "It is still loading. That is broken off, and whoever waits for it is told so."
    if not shown.leases:
        return f"Nobody uses it now; {in_gb(shown.reserved_bytes)} are free again at once."
    answers = "1 answer under way is" if shown.leases == 1 else f"{shown.leases} answers under way are"
    return f"{answers} broken off, and whoever reads is told so; then {in_gb(shown.reserved_bytes)} are free."


def _of_reload(name: str) -> str:
    return f"{_of_unload(name)} It is loaded anew, with what was chosen since, and its self-test runs again."


def _of_remove(name: str) -> str:
    card = runtime.catalog().find(name)
    if card is None:
        return _GONE
    state = runtime.pool().snapshot().of(name).state
    if state.is_in_memory:
        return f"It is {state}; unload it first. Nothing is deleted now."
    try:
        removal.folder_of(card, settings.CONFIG.models_path)
    except removal.NotOurs as error:
        return f"{error} Nothing is deleted here."
    return f"{in_gb(card.weight_bytes)} in the models folder are deleted for good."


LOAD = Step("load", "Load these models?", "Load", _of_loads, control.load, "Loading {}.")
UNLOAD = Step(
    *("unload", "Unload these models once their answers have ended?", "Unload"),
    *(_of_each(_of_unload), control.unload, "Unloading {}, once its last stream has ended."),
)
UNLOAD_NOW = Step(
    *("unload_now", "Unload these models now, and break off their answers?", "Unload now"),
    *(_of_each(_of_unload_now), control.unload_now, "Unloading {} now."),
)
RELOAD = Step(
    *("reload", "Load these models anew?", "Reload"),
    *(_of_each(_of_reload), control.reload, "Loading {} anew."),
)
REMOVE = Step(
    *("remove", "Delete the files of these models?", "Delete the files"),
    *(_of_each(_of_remove), control.remove, "The files of {} were deleted."),
    is_typed=True,
)
