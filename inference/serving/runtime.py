"""The one pool of this process, made on first use; tests put their own in its place."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import wait
from contextvars import Context
from typing import TYPE_CHECKING, Any

from django.conf import settings
from msgspec import structs

from inference.core.errors import Unavailable
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard
from inference.core.pool_state import PoolEvent
from inference.core.protocol import Load
from inference.core.upstream import Route
from inference.pool import Pool, PoolOptions, ProcessRunner
from inference.pool.ranks.placement import RankSetup
from inference.pool.ranks.ranked_runner import RankedRunner
from inference.pool.residency.decision_log import OnEvent
from inference.repository.card_reader import Machine
from inference.repository.catalog import Catalog, no_choices
from inference.repository.downloads.register import Downloads
from inference.serving import cpu_tuning, tracing
from inference.serving.metrics.site_metrics import METRICS
from inference.serving.recording.request_entry import Note
from inference.serving.recording.request_ledger import Ledger
from inference.serving.usage_history import USAGE_HISTORY
from inference.storage import upstream_routes
from inference.storage.last_read import LastRead
from inference.storage.operator_choices import Choices, Chosen
from inference.storage.pool_journal import Journal
from inference.upstreams.upstreams import Upstreams

if TYPE_CHECKING:
    from inference.core.config import Config

Keep = Callable[[Note], None]
_pool: Pool | None = None
_catalog: Catalog | None = None
_ledger: Keep | None = None
_downloads: Downloads | None = None
_upstreams: Upstreams | None = None


def catalog() -> Catalog:
    """The models on this machine's disk."""
    global _catalog
    if _catalog is None:
        _catalog = _new_catalog(Choices(), upstreams().cards)
    return _catalog


def upstreams() -> Upstreams:
    """The other servers that serve models of this site."""
    global _upstreams
    if _upstreams is None:
        config = settings.CONFIG
        read = LastRead[tuple[Route, ...]](upstream_routes.read, (), "Upstreams")
        _upstreams = Upstreams(
            read, silence_s=config.upstream_silence_s, most_tokens=config.max_output_tokens
        )
    return _upstreams


def _new_catalog(choices: Callable[[], Chosen], remote: Callable[[], Sequence[ModelCard]] = tuple) -> Catalog:
    config = settings.CONFIG
    return Catalog(
        config.models_path,
        use_hub_cache=config.use_hub_cache,
        choices=choices,
        remote=remote,
        ranks_here=lambda ranks: rank_setup().local(ranks),
        **structs.asdict(machine()),
    )


def machine() -> Machine:
    """What the prediction of a model's memory depends on beside the model."""
    config = settings.CONFIG
    return Machine(
        dequantises=dequantises(),
        context_limit=config.context_limit,
        prefill_step=config.prefill_step,
        kv_bits=config.kv_bits,
        picture_tokens=config.picture_tokens,
    )


def dequantises() -> bool:
    """Whether workers on this machine keep weights as fp32, however they are stored."""
    device = settings.CONFIG.device
    return sys.platform != "darwin" if device == "auto" else bool(device == "cpu")


def pool() -> Pool:
    """The pool that serves this process."""
    global _pool
    if _pool is None:
        config = settings.CONFIG
        _pool = Pool(
            _pool_options(config),
            find_card=catalog().find,
            start_runner=lambda: _runner(_load_options(config)),
            start_upstream=lambda: upstreams().start_runner(),
            start_ranks=lambda: _ranked_runner(_load_options(config)),
            find_pinned=catalog().pinned,
            on_event=_journal_and_count(Journal()),
            load_span=tracing.load_span,
            on_tick=USAGE_HISTORY,
        )
    return _pool


def _journal_and_count(journal: Journal) -> OnEvent:
    def on_event(event: PoolEvent) -> None:
        journal(event)
        METRICS.pool(event)

    return on_event


def _pool_options(config: "Config") -> PoolOptions:
    return PoolOptions(
        limit_bytes=config.memory_limit_bytes,
        is_limit_given="memory_limit" in config.model_fields_set,
        queue_limit=config.queue_limit,
        load_timeout_s=config.load_timeout_s,
        wait_limit_s=config.wait_limit_s,
        min_residency_s=config.min_residency_s,
        idle_ttl_s=config.idle_ttl_s,
        keep_spare=config.spare_worker,
        max_leases=config.max_batch,  # more would only wait inside the worker, where they are not counted
    )


def _new_quiet_pool() -> Pool:
    """A pool that writes nothing to the database or the prefix cache's disk, and keeps no spare worker."""
    config = settings.CONFIG
    options = structs.replace(_load_options(config), prefix_disk_path="", prefix_disk_bytes=0)
    return Pool(
        PoolOptions(
            limit_bytes=config.memory_limit_bytes,
            is_limit_given="memory_limit" in config.model_fields_set,
            queue_limit=config.queue_limit,
            load_timeout_s=config.load_timeout_s,
            keep_spare=False,
        ),
        find_card=catalog().find,
        start_runner=lambda: _runner(options),
        start_ranks=lambda: _ranked_runner(options),
    )


def _runner(options: Load) -> ProcessRunner:
    config = settings.CONFIG
    return ProcessRunner(
        options, blas=config.blas, stuck_after_s=config.stuck_after_s, tune=cpu_tuning.of_workers
    )


def rank_setup() -> RankSetup:
    """How the ranks of a model are connected, and where they run."""
    config = settings.CONFIG
    return RankSetup(backend=config.ranks_backend, port=config.ranks_port, hosts=config.rank_hosts)


def _ranked_runner(options: Load) -> RankedRunner:
    config = settings.CONFIG
    return RankedRunner(
        options,
        rank_setup(),
        blas=config.blas,
        stuck_after_s=config.stuck_after_s,
        tune=cpu_tuning.of_workers,
    )


def ledger() -> Keep:
    """The ledger that records requests."""
    global _ledger
    if _ledger is None:
        _ledger = Ledger()
    return _ledger


def downloads() -> Downloads:
    """The downloads of this process."""
    global _downloads
    if _downloads is None:
        _downloads = Downloads(settings.CONFIG.models_path, on_done=lambda: catalog().forget())
    return _downloads


@contextlib.contextmanager
def use_downloads(other: Downloads) -> Iterator[Downloads]:
    """Use `other` while the block runs."""
    global _downloads
    before, _downloads = _downloads, other
    try:
        yield other
    finally:
        _downloads = before


def idle_ttl_s() -> float:
    """Seconds an idle model stays in memory where nothing was chosen for it; -1 for no limit."""
    return float(settings.CONFIG.idle_ttl_s)


def _load_options(config: "Config") -> Load:
    return Load(
        model="",
        path="",
        device=config.device,
        max_batch=config.max_batch,
        prefill_step=config.prefill_step,
        max_output_tokens=config.max_output_tokens,
        context_limit=config.context_limit,
        picture_tokens=config.picture_tokens,
        wired_limit=config.wired_limit_bytes,
        has_exact_seeds=config.exact_seeds,
        speculation=config.speculation,
        prefix_cache_bytes=config.prefix_cache_bytes,
        prefix_disk_path=str(config.data_dir / "prefixes") if config.prefix_disk_bytes else "",
        prefix_disk_bytes=config.prefix_disk_bytes,
        batch_support_path=str(config.data_dir / "batch_support"),
    )


def _discard(note: Note) -> None:
    """A no-op ledger."""


@contextlib.contextmanager
def use_pool(other: Pool, *, models: Catalog | None = None, keep: Keep = _discard) -> Iterator[Pool]:
    """Serve from `other` while the block runs; records of requests go to `keep`.

    Nothing is known then of the health of upstreams.
    """
    global _pool, _catalog, _ledger, _upstreams
    before = _pool, _catalog, _ledger, _upstreams
    _pool, _catalog, _ledger, _upstreams = other, models or _catalog, keep, None
    try:
        yield other
    finally:
        _pool, _catalog, _ledger, _upstreams = before


@contextlib.contextmanager
def by_itself() -> Iterator[Pool]:
    """Use a pool for a command that tries models out and leaves no trace; an existing pool is used.

    The database is neither read nor created: on a new folder there is none yet.
    """
    global _catalog
    before = _catalog
    _catalog = _catalog or _new_catalog(no_choices)
    try:
        with use_pool(_pool or _new_quiet_pool()) as quiet:
            yield quiet
    finally:
        _catalog = before


def run_on_loop(coroutine: Coroutine[Any, Any, Any], timeout_s: float = 10) -> Any:
    """Run a pool coroutine on the loop that owns the pool, from a sync view's thread.

    Raises Unavailable when it takes longer (it goes on), or when no server runs in this process.
    """
    loop = pool().loop
    if loop is None or not loop.is_running():
        coroutine.close()
        raise Unavailable(f"The server does not run in this process; start it with `{PROGRAM} serve`.")
    # In a new context: in the view's own, Django's async calls would use its thread, which waits here.
    call = Context().run(asyncio.run_coroutine_threadsafe, coroutine, loop)
    if not wait([call], timeout_s).done:
        raise Unavailable(f"That takes longer than {timeout_s:g} s; it goes on. Look again shortly.")
    return call.result()
