"""The admin's list of models: its columns, and the one snapshot of disk and pool that fills them."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from inference.admin import wording
from inference.admin.model_rows import ModelRow, row
from inference.admin.row_buttons import RowButton, row_buttons
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit
from inference.core.self_test_summary import SelfTestSummary, summary
from inference.core.units import in_gb
from inference.models import ServedModel
from inference.serving import runtime


@dataclass(frozen=True)
class ModelSnapshot:
    """One model as the page shows it: all its cells come from one snapshot of the disk and the pool."""

    card: ModelCard | None
    row: ModelRow
    may_run: bool
    fit: ContextFit | None = None  # of a model that can be served


class ModelList(ChangeList):
    """One page: its rows, each with its snapshot, and the pool's totals above them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        cards = {card.id: card for card in runtime.catalog().scan()}
        self.pool = runtime.pool().snapshot()
        self.reserved, self.limit = _gb(self.pool.reserved_bytes), _gb(self.pool.limit_bytes)
        may_run = request.user.has_perm("inference.run_servedmodel")
        rows = list(self.result_list)
        fits = _fits([card for model in rows if (card := cards.get(model.name)) and _is_local(card)])
        for model in rows:
            card = cards.get(model.name)
            shown = row(model.name, card, self.pool.of(model.name))
            model.snapshot = ModelSnapshot(card, shown, may_run, fits.get(model.name))
        self.result_list = rows  # the queryset would run again, and return rows without their snapshots


class Columns:
    """The columns of the list."""

    @admin.display(description="Name", ordering="name")
    def name_and_family(self, model: ServedModel) -> str:
        card = _snapshot(model).card
        about = filter(None, (card.family if card else "", "pinned" if model.is_pinned else ""))
        return format_html('{} <span class="quiet">{}</span>', model.name, ", ".join(about))

    @admin.display(description="State")
    def state(self, model: ServedModel) -> str:
        return format_html('<span data-state="{}">{}</span>', model.name, _snapshot(model).row.state)

    @admin.display(description="Memory")
    def memory(self, model: ServedModel) -> str:
        return format_html('<span data-memory="{}">{}</span>', model.name, _snapshot(model).row.memory)

    @admin.display(description="Requests")
    def streams(self, model: ServedModel) -> str:
        return format_html('<span data-streams="{}">{}</span>', model.name, _snapshot(model).row.streams)

    @admin.display(description="Context")
    def context(self, model: ServedModel) -> str:
        fit = _snapshot(model).fit
        if fit is None:
            return "–"
        own, fits = wording.context(fit), wording.context_that_fits(fit)
        below = "" if fits == own else format_html('<span class="quiet">fits: {}</span>', fits)
        return format_html("{}{}", own, below)

    @admin.display(description="Self-test")
    def works(self, model: ServedModel) -> str:
        shown = _snapshot(model).row
        tested = SelfTestSummary(text=shown.self_test, tone=cast(Any, shown.tone))
        tested = tested if tested.text else summary(model.stored_findings)
        return format_html(
            '<span data-self-test="{}" data-tone="{}">{}</span>',
            model.name,
            tested.tone or "grey",
            tested.text or "not tested",
        )

    @admin.display(description="Actions")
    def acts(self, model: ServedModel) -> str:
        snapshot = _snapshot(model)
        name, chat = model.name, f"{reverse('playground')}?{urlencode({'model': model.name})}"
        is_chat = bool(snapshot.card and snapshot.card.is_servable and snapshot.card.kind == "chat")
        url = reverse("admin:inference_servedmodel_act")
        pin = "unpin" if model.is_pinned else "pin"
        may = snapshot.may_run and not (snapshot.card and snapshot.card.is_remote)
        return row_buttons(
            RowButton("Load", name, url, f"load {name}", is_shown=may and snapshot.row.can_load, key="load"),
            RowButton(
                "Unload", name, url, f"unload {name}", is_shown=may and snapshot.row.can_unload, key="unload"
            ),
            *([RowButton(pin.capitalize(), name, url, f"{pin} {name}")] if may else []),
            *([RowButton("Chat", name, chat)] if is_chat else []),
        )


def _snapshot(model: ServedModel) -> ModelSnapshot:
    return cast(Any, model).snapshot  # type: ignore[no-any-return]


def _fits(cards: list[ModelCard]) -> dict[str, ContextFit]:
    found = runtime.pool().context_fits(*cards)
    return {card.id: fit for card, fit in zip(cards, found, strict=True)}


def _is_local(card: ModelCard) -> bool:
    return card.is_servable and not card.is_remote


def _gb(amount: int) -> str:
    return in_gb(amount) if amount else ""
