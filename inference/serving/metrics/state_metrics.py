"""The state of this moment: requests in progress, memory, models, database and disk."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shutil import disk_usage
from typing import Any, get_args

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from inference import __version__
from inference.core.data_folder import DATABASE
from inference.core.pool_state import ModelState, PoolSnapshot, Pressure
from inference.serving.memory_breakdown import bar_of
from inference.serving.metrics.model_labels import ModelLabels
from inference.storage.background_writer import backlog

_PHASES = ("queued", "loading", "prefill", "decode", "paused")


class RedisState(Struct, frozen=True, kw_only=True):
    """The Redis that several fronts share, as this one sees it."""

    is_lost: bool
    losses: int
    fronts: int  # that live, this one among them


class SiteState(Struct, frozen=True, kw_only=True):
    """What is read on the event loop; the rest is read from the disk."""

    pool: PoolSnapshot
    phases: tuple[str, ...]  # of the requests in progress
    available_bytes: int  # of this machine's memory
    is_ready: bool
    redis: RedisState | None  # None: this process is no front
    data_dir: Path
    models_dir: Path


def state_metrics(state: SiteState, labels: ModelLabels) -> Iterator[Metric]:
    """The gauges of this moment; blocks for the disk."""
    yield _gauge("build_info", "The version of the server.", {(__version__,): 1}, "version")
    yield _gauge("ready", "Whether a request can be served, as /ready says.", {(): state.is_ready})
    yield from _requests(state)
    yield from _memory(state)
    yield from _models(state.pool, labels)
    yield from _database(state.data_dir)
    yield from _redis(state.redis)
    yield from _disk({"data": state.data_dir, "models": state.models_dir})


def _gauge(name: str, text: str, values: Mapping[Any, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"mlxsite_{name}", text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family


def _requests(state: SiteState) -> Iterator[Metric]:
    counts = Counter(state.phases)
    by_phase = {(phase,): counts[phase] for phase in _PHASES}
    yield _gauge("requests_in_progress", "Requests to models in progress, by their phase.", by_phase, "phase")
    waiting = {(): state.pool.waiting}
    yield _gauge("requests_waiting", "Requests that wait for a model or for memory.", waiting)


def _memory(state: SiteState) -> Iterator[Metric]:
    bar, pool = bar_of(state.pool, state.available_bytes), state.pool
    kinds = {
        ("weights",): bar.weights,
        ("kv_cache",): bar.kv,
        ("prefix_cache",): bar.caches,
        ("other_programs",): bar.others,
        ("free",): bar.free,
    }
    text = "The memory limit by what it is used for: reserved, free, or taken by other programs."
    yield _gauge("memory_bytes", text, kinds, "kind")
    yield _gauge("memory_limit_bytes", "Memory that all models together may use.", {(): bar.limit})
    yield _gauge("memory_reserved_bytes", "Reserved part of the memory limit.", {(): pool.reserved_bytes})
    available = {(): state.available_bytes}
    yield _gauge("machine_available_memory_bytes", "Memory of the machine that is available.", available)
    levels = {(level,): level == pool.pressure for level in get_args(Pressure)}
    yield _gauge("memory_pressure", "1 for the level of memory pressure that is acted on.", levels, "level")


def _models(pool: PoolSnapshot, labels: ModelLabels) -> Iterator[Metric]:
    counts = Counter(model.state for model in pool.models)
    states = {(state.value,): counts[state] for state in ModelState if state != ModelState.UNLOADED}
    yield _gauge("models", "Models in the pool, by their state.", states, "state")
    memory: Counter[tuple[str, ...]] = Counter()
    streams: Counter[tuple[str, ...]] = Counter()
    for model in pool.models:
        name = labels.of_id(model.id)
        streams[(name,)] += model.leases
        for kind, value in (
            ("reserved", model.reserved_bytes),
            ("active", model.memory.active),
            ("resident", model.memory.resident),
            ("helpers", model.memory.helpers),
            ("mlx_cache", model.memory.cache),
            ("kv_cache", model.memory.kv),
            ("prefix_cache", model.memory.prefix_cache),
        ):
            memory[(name, kind)] += value
    text = (
        "Memory of a model in the pool, as its worker reported it; active contains both caches, helpers are "
        "its processes for templates and pictures."
    )
    yield _gauge("model_memory_bytes", text, dict(memory), "model", "kind")
    yield _gauge("model_requests", "Requests that hold a lease of the model.", dict(streams), "model")


def _database(data_dir: Path) -> Iterator[Metric]:
    waiting, lost = backlog()
    text = "Records that wait to be written to the database."
    yield _gauge("database_writes_waiting", text, {(): waiting})
    family = CounterMetricFamily("mlxsite_database_writes_lost", "Records that could not be written.")
    family.add_metric((), lost)
    yield family
    sizes = {(part,): size for part, size in _sizes(data_dir)}
    yield _gauge("database_bytes", "Size of the database's files.", sizes, "file")


def _redis(redis: RedisState | None) -> Iterator[Metric]:
    """Families without a sample where there is none: an alert must not take that for a loss."""
    values: dict[tuple[()], float] = {} if redis is None else {(): not redis.is_lost}
    yield _gauge("redis_up", "Whether the Redis that fronts share answers.", values)
    family = CounterMetricFamily("mlxsite_redis_losses", "Times that the Redis was lost.")
    if redis:
        family.add_metric((), redis.losses)
    yield family
    values = {} if redis is None else {(): redis.fronts}
    yield _gauge("fronts", "Fronts of this site that this one knows of, and itself.", values)


def _sizes(data_dir: Path) -> Iterable[tuple[str, int]]:
    for part, suffix in (("main", ""), ("wal", "-wal")):
        place = data_dir / f"{DATABASE}{suffix}"
        try:
            yield part, place.stat().st_size
        except OSError:
            continue


def _disk(folders: dict[str, Path]) -> Iterator[Metric]:
    free, size = {}, {}
    for name, folder in folders.items():
        try:
            usage = disk_usage(folder)
        except OSError:
            continue
        free[(name,)], size[(name,)] = usage.free, usage.total
    yield _gauge("disk_free_bytes", "Free bytes of the disk that a folder is on.", free, "folder")
    yield _gauge("disk_size_bytes", "Size of the disk that a folder is on.", size, "folder")
