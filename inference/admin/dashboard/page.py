"""All that the dashboard shows at one moment, in words: pages render it, websockets send what changed."""

import time
from collections.abc import Mapping, Sequence

from django.conf import settings
from msgspec import Struct

from inference import models
from inference.admin import wording
from inference.admin.dashboard.process_info import footprint
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolEvent, PoolSnapshot, ResidentModel
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.serving import runtime
from inference.serving.active_requests import STREAMS, Stream
from inference.serving.memory_breakdown import Bar, bar_of
from inference.serving.usage_history import USAGE_HISTORY, available

MOST_MODELS = 12
MOST_STREAMS = 40
MOST_EVENTS = 8


class Cell(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell: its words, a quiet note, the tone they are said in, and how far something is in percent."""

    text: str
    note: str = ""
    tone: str = ""
    percent: int | None = None


class Act(Struct, frozen=True, kw_only=True):
    """A row's button: what it sends, what is on it, and what it says to who cannot see the row."""

    value: str
    text: str
    label: str


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a table, known by its key; its button is for those who may act."""

    key: str
    cells: tuple[Cell, ...]
    act: Act | None = None


class BarSegment(Struct, frozen=True, kw_only=True):
    """A piece of the memory bar: where it begins and how wide it is, in thousandths."""

    name: str
    x: int
    width: int
    text: str


class Page(Struct, frozen=True, kw_only=True):
    """Each field is a piece of the page that can change by itself."""

    memory: tuple[BarSegment, ...]
    held: str
    hour_text: str
    models: tuple[Row, ...]
    more_models: str
    streams: tuple[Row, ...]
    more_streams: str
    queue: str
    workers: tuple[Row, ...]
    events: tuple[Row, ...]


class DashboardCache(Struct, frozen=True, kw_only=True):
    """What is read from disk and the database, for which a live page looks only now and then."""

    cards: tuple[ModelCard, ...]
    lights: Mapping[str, str]
    keys: Mapping[str, str] = {}  # the names of API keys, by what they begin with
    events: tuple[PoolEvent, ...] = ()  # the newest kept ones, where this process has too few of its own


def known() -> DashboardCache:
    """Look at the models folder, at what their self-tests found, at keys and past events; it blocks."""
    rows = ServedModel.objects.exclude(findings=None).only("name", "findings")
    has_enough = len(runtime.pool().snapshot().events) >= MOST_EVENTS
    return DashboardCache(
        cards=runtime.catalog().scan(),
        lights={row.name: row.light for row in rows},
        keys=dict(ApiKey.objects.values_list("prefix", "name")),
        events=() if has_enough else models.PoolEvent.objects.newest(MOST_EVENTS),
    )


def page(of: DashboardCache) -> Page:
    """The dashboard as of now; callable from any thread."""
    snapshot, streams, now = runtime.pool().snapshot(), STREAMS.snapshot(), time.time()
    bar = bar_of(snapshot, available())
    rows = _models(of, snapshot)
    return Page(
        memory=parts(bar),
        held=wording.held(bar, snapshot),
        hour_text=wording.hour(USAGE_HISTORY.since(), bar.held),
        models=rows[:MOST_MODELS],
        more_models=_more(len(rows) - MOST_MODELS),
        streams=tuple(_stream(stream, of.keys, now) for stream in streams[:MOST_STREAMS]),
        more_streams=_more(len(streams) - MOST_STREAMS),
        queue=wording.queue(streams, settings.CONFIG.queue_limit, now),
        workers=tuple(_workers(snapshot, now)),
        events=_events(snapshot.events, of.events, now),
    )


def parts(bar: Bar) -> tuple[BarSegment, ...]:
    """The bar's pieces from left to right."""
    names = {
        "weights": ("Weights", bar.weights),
        "kv": ("KV caches", bar.kv),
        "caches": ("Prefixes", bar.caches),
        "others": ("Other programs", bar.others),
        "free": ("Free", bar.free),
    }
    found, done = [], 0
    for name, (title, amount) in names.items():
        begin, end = (round(1000 * edge / max(1, bar.total)) for edge in (done, done + amount))
        found.append(
            BarSegment(name=name, x=begin, width=end - begin, text=f"{title} {wording.size(amount)}")
        )
        done += amount
    return tuple(found)


def _models(of: DashboardCache, snapshot: PoolSnapshot) -> tuple[Row, ...]:
    """Those in memory first, then those in trouble, then the others; each by name."""
    cards = {card.id: card for card in of.cards}
    names = {*cards, *(model.id for model in snapshot.models)}
    told = [(cards.get(name), snapshot.of(name)) for name in sorted(names)]
    told.sort(key=lambda pair: _place(*pair))
    return tuple(_model(card, model, of.lights.get(model.id, "")) for card, model in told)


def _place(card: ModelCard | None, model: ResidentModel) -> int:
    if model.state.is_in_memory:
        return 0
    return 1 if model.reason or wording.tone(card, model) == ModelState.FAILED else 2


def _model(card: ModelCard | None, model: ResidentModel, light: str) -> Row:
    light = model.loaded.light if model.loaded else light
    percent = model.loaded_percent if model.state == ModelState.LOADING else None
    return Row(
        key=model.id,
        cells=(
            Cell(text=model.id, note="pinned" if model.is_pinned or (card and card.is_pinned) else ""),
            Cell(text=wording.state(card, model), tone=wording.tone(card, model), percent=percent),
            Cell(text=wording.size(model.reserved_bytes)),
            Cell(text=str(model.leases)),
            Cell(text=light or "not tested", tone=light),
        ),
        act=_act(card, model),
    )


def _act(card: ModelCard | None, model: ResidentModel) -> Act | None:
    """What the page of the admin that asks first would be opened for."""
    if model.state.is_in_memory:
        return Act(value=f"unload {model.id}", text="Unload", label=f"Unload {model.id}")
    if card and card.is_servable:
        return Act(value=f"load {model.id}", text="Load", label=f"Load {model.id}")
    return None


def _stream(stream: Stream, keys: Mapping[str, str], now: float) -> Row:
    has_share = stream.phase == "prefill" and stream.total
    percent = 100 * stream.done // stream.total if has_share else None
    if stream.phase == "loading":
        percent = stream.done
    return Row(
        key=stream.id,
        cells=(
            Cell(text=stream.model),
            Cell(text=wording.who(stream, keys)),
            Cell(text=wording.doing(stream), tone=stream.phase, percent=percent),
            Cell(text=wording.lasting(now - stream.began_at)),
            Cell(text=f"{stream.prompt_tokens:,} in, {stream.tokens:,} out"),
        ),
        act=Act(value=stream.id, text="Stop", label=f"Stop the request to {stream.model}"),
    )


def _workers(snapshot: PoolSnapshot, now: float) -> list[Row]:
    rows = [_worker(model.pid, model, now) for model in snapshot.models if model.pid is not None]
    if snapshot.spare_pid is not None:
        rows.append(_worker(snapshot.spare_pid, ResidentModel(id="", state=ModelState.UNLOADED), now))
    return rows


def _worker(pid: int, model: ResidentModel, now: float) -> Row:
    seen = footprint(pid, model.memory)
    return Row(
        key=str(pid),
        cells=(
            Cell(text=model.id or "spare, for the next model"),
            Cell(text=str(pid)),
            Cell(text=wording.lasting(now - seen.began_at) if seen.began_at else "–"),
            Cell(text=str(model.restarts)),
            Cell(text=wording.size(seen.bytes)),
        ),
    )


def _events(own: Sequence[PoolEvent], kept: Sequence[PoolEvent], now: float) -> tuple[Row, ...]:
    """The newest first: this process's own, then those of before its start."""
    rows = {row.key: row for event in [*reversed(own), *kept] for row in [_event(event, now)]}
    return tuple(rows.values())[:MOST_EVENTS]


def _event(event: PoolEvent, now: float) -> Row:
    text = event.text[:1].upper() + event.text[1:]
    return Row(
        key=f"{event.at:.6f} {event.kind} {event.model}",
        cells=(Cell(text=f"{wording.lasting(now - event.at)} ago"), Cell(text=text, tone=event.kind)),
    )


def _more(number: int) -> str:
    return f"and {number} more" if number > 0 else ""
