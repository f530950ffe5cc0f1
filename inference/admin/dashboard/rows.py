"""The rows of the tables on the dashboard: models, requests, workers and events."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from inference.admin import wording
from inference.admin.dashboard.process_info import footprint
from inference.core.model_card import ModelCard
from inference.core.pool_state import Memory, ModelState, PoolEvent, ResidentModel
from inference.core.self_test_summary import SelfTestSummary, summary
from inference.serving.active_requests import NO_DRAFTS, SpeculationCounts, StreamView


class Cell(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell: its text, a note in small type, a tone that colours the text, and a progress in percent."""

    text: str
    note: str = ""
    tone: str = ""
    percent: int | None = None


class DashboardButton(Struct, frozen=True, kw_only=True):
    """A row's button: the value it sends, its text, and its label for screen readers."""

    value: str
    text: str
    label: str


class DashboardRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a table, identified by its key; users without permission see no button."""

    key: str
    cells: tuple[Cell, ...]
    act: DashboardButton | None = None


def model_row(
    card: ModelCard | None,
    model: ResidentModel,
    stored: SelfTestSummary,
    drafts: SpeculationCounts = NO_DRAFTS,
) -> DashboardRow:
    """A model; `stored` is its last self-test, for while it is not loaded."""
    tested = summary(model.loaded.findings) if model.loaded else stored
    percent = model.loaded_percent if model.state == ModelState.LOADING else None
    return DashboardRow(
        key=model.id,
        cells=(
            Cell(text=model.id, note="pinned" if model.is_pinned or (card and card.is_pinned) else ""),
            Cell(text=wording.state(card, model), tone=wording.tone(card, model), percent=percent),
            Cell(text=wording.size(model.reserved_bytes), note=_growth(model)),
            Cell(text=str(model.leases), note=_requests(model, drafts)),
            Cell(text=tested.text or "not tested", tone=tested.tone),
        ),
        act=_button(card, model),
    )


def _requests(model: ResidentModel, drafts: SpeculationCounts) -> str:
    notes = [f"{model.paused} paused"] if model.paused else []
    if drafts.drafted:
        notes.append(f"{drafts.accepted:,} of {drafts.drafted:,} drafted tokens accepted")
    return ", ".join(notes)


def _growth(model: ResidentModel) -> str:
    """What it comes to if its running answers become as long as they may, where that is more."""
    most = model.reserved_bytes + model.kv_growth_bytes
    return f"may grow to {wording.size(most)}" if model.kv_growth_bytes else ""


def _button(card: ModelCard | None, model: ResidentModel) -> DashboardButton | None:
    """The action that applies to the model's state; the admin asks for confirmation."""
    if model.state.is_in_memory:
        return DashboardButton(value=f"unload {model.id}", text="Unload", label=f"Unload {model.id}")
    if card and card.is_servable:
        return DashboardButton(value=f"load {model.id}", text="Load", label=f"Load {model.id}")
    return None


def stream_row(stream: StreamView, keys: Mapping[str, str], now: float) -> DashboardRow:
    has_share = stream.phase == "prefill" and stream.total
    percent = 100 * stream.done // stream.total if has_share else None
    if stream.phase == "loading":
        percent = stream.done
    return DashboardRow(
        key=stream.id,
        cells=(
            Cell(text=stream.model),
            Cell(text=wording.caller(stream, keys), note="title of a chat" if stream.kind == "title" else ""),
            Cell(text=wording.status(stream), tone=stream.phase, percent=percent),
            Cell(text=wording.duration(now - stream.began_at)),
            Cell(text=f"{stream.prompt_tokens:,} in, {stream.tokens:,} out"),
        ),
        act=DashboardButton(value=stream.id, text="Stop", label=f"Stop the request to {stream.model}"),
    )


def processes_of(model: ResidentModel) -> Iterator[tuple[int, Memory]]:
    """The processes on this machine that hold the model, with what each reports."""
    ranks = [(rank.pid, rank.memory) for rank in model.ranks if not rank.host]
    for pid, memory in ranks or [(model.pid, model.memory)]:
        if pid is not None:
            yield pid, memory


def worker_row(pid: int, model: ResidentModel, now: float, memory: Memory | None = None) -> DashboardRow:
    process = footprint(pid, memory or model.memory)
    return DashboardRow(
        key=str(pid),
        cells=(
            Cell(text=model.id or "spare worker"),
            Cell(text=str(pid)),
            Cell(text=wording.duration(now - process.began_at) if process.began_at else "–"),
            Cell(text=str(model.restarts)),
            Cell(text=wording.size(process.bytes)),
        ),
    )


def event_row(event: PoolEvent, now: float) -> DashboardRow:
    text = event.text[:1].upper() + event.text[1:]
    return DashboardRow(
        key=f"{event.at:.6f} {event.kind} {event.model}",
        cells=(Cell(text=f"{wording.duration(now - event.at)} ago"), Cell(text=text, tone=event.kind)),
    )
