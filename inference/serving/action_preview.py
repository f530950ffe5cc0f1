"""Previews of actions: what an action would do to each of some models now, and whether it is possible.

The pool's own rules give the answers, so a preview and the action that follows agree unless the state changes
in between.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, ResidentModel
from inference.core.units import in_gb
from inference.models import ServedModel
from inference.pool.scheduling.preview import LoadPreview
from inference.repository import deletion
from inference.serving import runtime

_STAYS_PINNED = "It stays pinned, so it is loaded again when the site starts; unpin it to change that."


@dataclass(frozen=True)
class ActionPreview:
    """What an action would do to one model; or, where it is not possible, why not."""

    text: str
    is_possible: bool = True
    displaces_models: bool = False  # whether others have to be unloaded for a load
    interrupts_requests: bool = False  # whether requests end, or have to finish first

    @property
    def needs_no_question(self) -> bool:
        """Whether it is possible and takes nothing from anybody."""
        return self.is_possible and not self.displaces_models and not self.interrupts_requests


_NO_FOLDER = ActionPreview("Its folder does not exist.", is_possible=False)
_NOT_IN_MEMORY = ActionPreview("It is not in memory.", is_possible=False)
PreviewAction = Callable[[Sequence[str]], Iterable[ActionPreview]]


def of_loads(names: Sequence[str]) -> list[ActionPreview]:
    """Previews of loads one after another: each load finds the memory that those before it leave."""
    cards = {name: card for name in names if (card := runtime.catalog().exact(name))}
    loads = dict(zip(cards, runtime.pool().preview_loads(*cards.values()), strict=True))
    previews = {
        name: ActionPreview(load_text(load), load.is_possible, _displaces(load))
        for name, load in loads.items()
    }
    return [previews.get(name, _NO_FOLDER) for name in names]


def _displaces(load: LoadPreview) -> bool:
    return load.outcome == "waits" or bool(load.evicted)


def load_text(load: LoadPreview) -> str:
    """What a load would do."""
    if load.outcome == "refused":
        return load.problem
    if load.outcome in {"resident", "draining"}:
        state = "being unloaded" if load.outcome == "draining" else "already in memory"
        return f"It is {state}, with {in_gb(load.held_bytes)}."
    needs = (
        f"It takes {in_gb(load.needed_bytes)}; {in_gb(max(load.free_bytes, 0))} of "
        f"{in_gb(load.limit_bytes)} are free"
    )
    if load.outcome == "fits":
        return f"{needs}, so no model is unloaded."
    if load.outcome == "waits":
        return f"{needs}, and unloading the idle models is not enough: it waits until a busy model is idle."
    return f"{needs}, so {_freed_text(load)}."


def _freed_text(load: LoadPreview) -> str:
    evicted = [
        f"{freed.model} is unloaded ({in_gb(freed.bytes)}, idle for {freed.idle_s:.0f} s)"
        for freed in load.evicted
    ]
    shed = [f"{in_gb(freed.bytes)} of prefixes of {freed.model} are dropped" for freed in load.shed]
    return " and ".join(evicted + shed)


def _for_each(preview: Callable[[str], ActionPreview]) -> PreviewAction:
    """For an action whose effect on one model does not depend on the models before it."""
    return lambda names: map(preview, names)


def _of_unload(name: str) -> ActionPreview:
    model = runtime.pool().snapshot().of(name)
    if not model.state.is_in_memory:
        return _NOT_IN_MEMORY
    if model.state == ModelState.LOADING:
        text = "It is still loading. The load is cancelled, unless requests wait for it."
    else:
        text = f"{_requests_text(model.leases)}; then {in_gb(model.reserved_bytes)} are free."
    return ActionPreview(text + _pin_text(model), interrupts_requests=_is_in_use(model))


def _requests_text(count: int) -> str:
    if not count:
        return "No request has to finish first"
    return "Its active request finishes first" if count == 1 else f"Its {count} active requests finish first"


def _pin_text(model: ResidentModel) -> str:
    return f" {_STAYS_PINNED}" if model.is_pinned else ""


def _of_unload_now(name: str) -> ActionPreview:
    model = runtime.pool().snapshot().of(name)
    if not model.state.is_in_memory:
        return _NOT_IN_MEMORY
    freed = in_gb(model.reserved_bytes)
    if model.state == ModelState.LOADING:
        text = "It is still loading. The load is cancelled, and requests that wait for it end with an error."
    elif model.leases:
        ended = "1 active request ends" if model.leases == 1 else f"{model.leases} active requests end"
        text = f"{ended} with an error; then {freed} are free."
    else:
        text = f"No requests are active; {freed} are free at once."
    return ActionPreview(text + _pin_text(model), interrupts_requests=_is_in_use(model))


def _is_in_use(model: ResidentModel) -> bool:
    """Whether requests have it, or may wait for its load."""
    return bool(model.leases) or model.state == ModelState.LOADING


def _of_reload(name: str) -> ActionPreview:
    card, model = runtime.catalog().exact(name), runtime.pool().snapshot().of(name)
    if card is None:
        return _NO_FOLDER
    if not card.is_servable or not model.state.is_in_memory:
        return of_loads([name])[0]
    return ActionPreview(
        f"{_requests_text(model.leases)}. Then it is loaded again with its current settings, "
        "and its self-test runs again."
    )


def _of_removal(name: str) -> ActionPreview:
    card = runtime.catalog().exact(name)
    if card is None:
        return _NO_FOLDER
    state = runtime.pool().snapshot().of(name).state
    if state.is_in_memory:
        return ActionPreview(f"It is {state}; unload it first. Nothing is deleted.", is_possible=False)
    try:
        planned = deletion.plan(card, settings.CONFIG.models_path)
    except deletion.NotDeletable as error:
        return ActionPreview(f"{error} Nothing is deleted here.", is_possible=False)
    return ActionPreview(f"{removal_text(planned)}{_settings_text(card)}")


def removal_text(planned: deletion.Removal) -> str:
    """What a planned deletion will do."""
    if planned.is_link:
        return "Its link in the models folder is removed; the files that it leads to stay where they are."
    kept = " The files that are only linked there stay where they are." if planned.keeps_files else ""
    loras = f" Its adapters go with it: {', '.join(planned.loras)}." if planned.loras else ""
    return f"{in_gb(planned.bytes)} in the models folder are deleted for good.{loras}{kept}"


def _settings_text(card: ModelCard) -> str:
    return " Its pin and its other settings stay until you remove its entry." if card.is_pinned else ""


def _of_forgetting(name: str) -> ActionPreview:
    if runtime.catalog().exact(name):
        return ActionPreview("Its folder exists; change its settings on its page.", is_possible=False)
    if runtime.pool().snapshot().of(name).state.is_in_memory:
        return ActionPreview("It is in memory; unload it first.", is_possible=False)
    row = ServedModel.objects.filter(name=name).first()
    deleted = "its pin and its settings" if row and row.is_pinned else "its settings"
    return ActionPreview(f"This deletes {deleted}. Its folder does not exist, so no files are deleted.")


of_unloads = _for_each(_of_unload)
of_unloads_now = _for_each(_of_unload_now)
of_reloads = _for_each(_of_reload)
of_removals = _for_each(_of_removal)
of_forgetting = _for_each(_of_forgetting)
