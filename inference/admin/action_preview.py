"""What an action would do to each of some models now, and whether it can be done, by the pool's own rules."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, ResidentModel
from inference.core.units import in_gb
from inference.models import ServedModel
from inference.repository import deletion
from inference.serving import runtime

_STAYS_PINNED = "It stays pinned, so it is loaded again when the site starts; unpin it to change that."


@dataclass(frozen=True)
class Told:
    """What would happen, in words; or why nothing would."""

    words: str
    is_possible: bool = True


_GONE = Told("Its folder is not there now.", is_possible=False)
_NOT_IN_MEMORY = Told("It is not in memory.", is_possible=False)
Foretell = Callable[[Sequence[str]], Iterable[Told]]


def of_loads(names: Sequence[str]) -> list[Told]:
    """Of loads one after another: each finds what those before it leave."""
    cards = {name: card for name in names if (card := runtime.catalog().exact(name))}
    foreseen = dict(zip(cards, runtime.pool().preview_load(*cards.values()), strict=True))
    told = {name: Told(one.words, one.is_possible) for name, one in foreseen.items()}
    return [told.get(name, _GONE) for name in names]


def _of_each(foretell: Callable[[str], Told]) -> Foretell:
    """For what is done to one model without a consequence for the next."""
    return lambda names: map(foretell, names)


def _of_unload(name: str) -> Told:
    shown = runtime.pool().snapshot().of(name)
    if not shown.state.is_in_memory:
        return _NOT_IN_MEMORY
    if shown.state == ModelState.LOADING:
        return Told("It is still loading. That is broken off, unless requests wait for it." + _pin(shown))
    words = f"{_streams(shown.leases)} first; then {in_gb(shown.reserved_bytes)} are free again."
    return Told(words + _pin(shown))


def _streams(count: int) -> str:
    if not count:
        return "Nobody uses it now, so nothing has to end"
    return "Its one answer under way ends" if count == 1 else f"Its {count} answers under way end"


def _pin(shown: ResidentModel) -> str:
    return f" {_STAYS_PINNED}" if shown.is_pinned else ""


def _of_unload_now(name: str) -> Told:
    shown = runtime.pool().snapshot().of(name)
    if not shown.state.is_in_memory:
        return _NOT_IN_MEMORY
    if shown.state == ModelState.LOADING:
        words = "It is still loading. That is broken off, and whoever waits for it is told so."
    elif shown.leases:
        answers = "1 answer under way is" if shown.leases == 1 else f"{shown.leases} answers under way are"
        freed = in_gb(shown.reserved_bytes)
        words = f"{answers} broken off, and whoever reads is told so; then {freed} are free."
    else:
        words = f"Nobody uses it now; {in_gb(shown.reserved_bytes)} are free again at once."
    return Told(words + _pin(shown))


def _of_reload(name: str) -> Told:
    card, shown = runtime.catalog().exact(name), runtime.pool().snapshot().of(name)
    if card is None:
        return _GONE
    if not card.is_servable or not shown.state.is_in_memory:
        return of_loads([name])[0]
    first = f"{_streams(shown.leases)} first."
    return Told(f"{first} It is loaded anew, with what was chosen since, and its self-test runs again.")


def _of_removal(name: str) -> Told:
    card = runtime.catalog().exact(name)
    if card is None:
        return _GONE
    state = runtime.pool().snapshot().of(name).state
    if state.is_in_memory:
        return Told(f"It is {state}; unload it first. Nothing is deleted now.", is_possible=False)
    try:
        planned = deletion.plan(card, settings.CONFIG.models_path)
    except deletion.NotOurs as error:
        return Told(f"{error} Nothing is deleted here.", is_possible=False)
    return Told(f"{planned.coming}{_chosen(card)}")


def _chosen(card: ModelCard) -> str:
    return " Its pin and what else was chosen for it stay until it is forgotten." if card.is_pinned else ""


def _of_forgetting(name: str) -> Told:
    if runtime.catalog().exact(name):
        return Told("Its folder is there; change what is chosen for it on its page.", is_possible=False)
    if runtime.pool().snapshot().of(name).state.is_in_memory:
        return Told("It is in memory; unload it first.", is_possible=False)
    chosen = ServedModel.objects.filter(name=name).first()
    pin = "its pin and " if chosen and chosen.is_pinned else ""
    return Told(
        f"This forgets {pin}what was chosen for it. Its folder is not there, so no files are deleted."
    )


of_unloads = _of_each(_of_unload)
of_unloads_now = _of_each(_of_unload_now)
of_reloads = _of_each(_of_reload)
of_removals = _of_each(_of_removal)
of_forgetting = _of_each(_of_forgetting)
