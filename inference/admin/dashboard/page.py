"""All that the dashboard shows at one moment, as texts: the page renders it, its websocket sends changes."""

import time
from collections.abc import Mapping, Sequence

from django.conf import settings
from msgspec import Struct

from inference import models
from inference.admin import wording
from inference.admin.dashboard.rows import (
    DashboardRow,
    event_row,
    model_row,
    processes_of,
    stream_row,
    worker_row,
)
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState, PoolEvent, PoolSnapshot, ResidentModel
from inference.core.self_test_summary import NOT_TESTED, SelfTestSummary, summary
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.serving import runtime
from inference.serving.active_requests import STREAMS
from inference.serving.memory_breakdown import Bar, bar_of
from inference.serving.usage_history import USAGE_HISTORY, available

MOST_MODELS = 12
MOST_STREAMS = 40
MOST_EVENTS = 8


class BarSegment(Struct, frozen=True, kw_only=True):
    """A segment of the memory bar: its position and width, in thousandths of the bar."""

    name: str
    x: int
    width: int
    text: str


class DashboardPage(Struct, frozen=True, kw_only=True):
    """Each field is a part of the page that the websocket can send alone; field names are JSON keys."""

    memory: tuple[BarSegment, ...]
    held: str
    hour_text: str
    models: tuple[DashboardRow, ...]
    more_models: str
    streams: tuple[DashboardRow, ...]
    more_streams: str
    queue: str
    workers: tuple[DashboardRow, ...]
    events: tuple[DashboardRow, ...]


class DashboardCache(Struct, frozen=True, kw_only=True):
    """What comes from disk and the database; a live page reads it only every few seconds."""

    cards: tuple[ModelCard, ...]
    self_tests: Mapping[str, SelfTestSummary]  # the last ones that were stored
    keys: Mapping[str, str] = {}  # the names of API keys, by their prefixes
    events: tuple[PoolEvent, ...] = ()  # the newest stored ones, where this process has too few of its own


def read_cache() -> DashboardCache:
    """Read the models folder, self-test results, key names and past events; it blocks."""
    rows = ServedModel.objects.exclude(findings=None).only("name", "findings")
    has_enough = len(runtime.pool().snapshot().events) >= MOST_EVENTS
    return DashboardCache(
        cards=runtime.catalog().scan(),
        self_tests={row.name: summary(row.stored_findings) for row in rows},
        keys=dict(ApiKey.objects.values_list("prefix", "name")),
        events=() if has_enough else models.PoolEvent.objects.newest(MOST_EVENTS),
    )


def page(cache: DashboardCache) -> DashboardPage:
    """The dashboard as of now; callable from any thread."""
    snapshot, streams, now = runtime.pool().snapshot(), STREAMS.snapshot(), time.time()
    bar = bar_of(snapshot, available())
    rows = _models(cache, snapshot)
    return DashboardPage(
        memory=segments(bar),
        held=wording.memory(bar, snapshot),
        hour_text=wording.hour(USAGE_HISTORY.since(), bar.held),
        models=rows[:MOST_MODELS],
        more_models=_more(len(rows) - MOST_MODELS),
        streams=tuple(stream_row(stream, cache.keys, now) for stream in streams[:MOST_STREAMS]),
        more_streams=_more(len(streams) - MOST_STREAMS),
        queue=wording.queue(streams, settings.CONFIG.queue_limit, now),
        workers=tuple(_workers(snapshot, now)),
        events=_events(snapshot.events, cache.events, now),
    )


def segments(bar: Bar) -> tuple[BarSegment, ...]:
    """The bar's segments from left to right."""
    names = {
        "weights": ("Weights", bar.weights),
        "kv": ("KV caches", bar.kv),
        "caches": ("Prefixes", bar.caches),
        "others": ("Other programs", bar.others),
        "free": ("Free", bar.free),
    }
    made, done = [], 0
    for name, (title, amount) in names.items():
        start, end = (round(1000 * edge / max(1, bar.total)) for edge in (done, done + amount))
        made.append(BarSegment(name=name, x=start, width=end - start, text=f"{title} {wording.size(amount)}"))
        done += amount
    return tuple(made)


def _models(cache: DashboardCache, snapshot: PoolSnapshot) -> tuple[DashboardRow, ...]:
    """Models in memory first, then failed ones, then the others; each group by name."""
    cards = {card.id: card for card in cache.cards}
    names = {*cards, *(model.id for model in snapshot.models)}
    pairs = [(cards.get(name), snapshot.of(name)) for name in sorted(names)]
    pairs.sort(key=lambda pair: _rank(*pair))
    return tuple(
        model_row(card, model, cache.self_tests.get(model.id, NOT_TESTED), STREAMS.drafts_of(model.id))
        for card, model in pairs
    )


def _rank(card: ModelCard | None, model: ResidentModel) -> int:
    if model.state.is_in_memory:
        return 0
    return 1 if model.reason or wording.tone(card, model) == ModelState.FAILED else 2


def _workers(snapshot: PoolSnapshot, now: float) -> list[DashboardRow]:
    processes = [(pid, memory, model) for model in snapshot.models for pid, memory in processes_of(model)]
    rows = [worker_row(pid, model, now, memory) for pid, memory, model in processes]
    if snapshot.spare_pid is not None:
        rows.append(worker_row(snapshot.spare_pid, ResidentModel(id="", state=ModelState.UNLOADED), now))
    return rows


def _events(own: Sequence[PoolEvent], stored: Sequence[PoolEvent], now: float) -> tuple[DashboardRow, ...]:
    """The newest first: this process's own, then stored ones from before its start."""
    rows = {row.key: row for event in [*reversed(own), *stored] for row in [event_row(event, now)]}
    return tuple(rows.values())[:MOST_EVENTS]


def _more(number: int) -> str:
    return f"and {number} more" if number > 0 else ""
