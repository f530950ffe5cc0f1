"""The admin's list of models: its columns, and the one snapshot of disk and pool that fills them."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html

from inference.admin import wording
from inference.admin.model_rows import ModelRow, row
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit
from inference.core.units import in_gb
from inference.models import ServedModel
from inference.serving import runtime


@dataclass(frozen=True)
class ModelSnapshot:
    """One model as the page shows it: all its cells come from one snapshot of the disk and the pool."""

    card: ModelCard | None
    row: ModelRow
    fit: ContextFit | None = None  # of a model that can be served


class ModelList(ChangeList):
    """One page: its rows, each with its snapshot, and the pool's totals above them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        cards = {card.id: card for card in runtime.catalog().scan()}
        self.pool = runtime.pool().snapshot()
        self.reserved, self.limit = _gb(self.pool.reserved_bytes), _gb(self.pool.limit_bytes)
        rows = list(self.result_list)
        fits = _fits([card for model in rows if (card := cards.get(model.name)) and card.is_servable])
        for model in rows:
            card = cards.get(model.name)
            shown = row(model.name, card, self.pool.of(model.name))
            model.snapshot = ModelSnapshot(card, shown, fits.get(model.name))
        self.result_list = rows  # the queryset would run again, and return rows without their snapshots


class Columns:
    """The columns of the list."""

    @admin.display(description="State")
    def state(self, model: ServedModel) -> str:
        return format_html('<span data-state="{}">{}</span>', model.name, _snapshot(model).row.state)

    @admin.display(description="Memory")
    def memory(self, model: ServedModel) -> str:
        return format_html('<span data-memory="{}">{}</span>', model.name, _snapshot(model).row.memory)

    @admin.display(description="Busy streams")
    def streams(self, model: ServedModel) -> str:
        return format_html('<span data-streams="{}">{}</span>', model.name, _snapshot(model).row.streams)

    @admin.display(description="Pinned", ordering="is_pinned")
    def pinned(self, model: ServedModel) -> str:
        return "pinned" if model.is_pinned else ""  # Django's red cross for False looks like an error

    @admin.display(description="Needs")
    def size(self, model: ServedModel) -> str:
        card = _snapshot(model).card
        return _gb(card.resident_bytes) if card else "–"

    @admin.display(description="Context")
    def context(self, model: ServedModel) -> str:
        card = _snapshot(model).card
        return f"{card.context_length:,}" if card else "–"

    @admin.display(description="Context that fits")
    def context_that_fits(self, model: ServedModel) -> str:
        fit = _snapshot(model).fit
        return wording.context_that_fits(fit) if fit else "–"

    @admin.display(description="Family")
    def family(self, model: ServedModel) -> str:
        card = _snapshot(model).card
        return card.family if card else "–"

    @admin.display(description="Adapter")
    def light(self, model: ServedModel) -> str:
        adapter, light = _snapshot(model).row.adapter, model.light
        return format_html(
            '<span data-adapter="{}">{}</span> <span data-light="{}">{}</span>',
            model.name,
            adapter,
            light,
            light,
        )


def _snapshot(model: ServedModel) -> ModelSnapshot:
    return cast(Any, model).snapshot  # type: ignore[no-any-return]


def _fits(cards: list[ModelCard]) -> dict[str, ContextFit]:
    found = runtime.pool().context_fits(*cards)
    return {card.id: fit for card, fit in zip(cards, found, strict=True)}


def _gb(amount: int) -> str:
    return in_gb(amount) if amount else ""
