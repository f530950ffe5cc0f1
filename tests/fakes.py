"""First-class fakes of the ports: a runner with scripted answers, and the pool and catalog around it."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from inference.core.errors import LoadFailure, ModelLoadFailed, ServerError, WorkerDied
from inference.core.events import Accepted, Ended, Event, Finished, FinishReason, TextDelta, Usage
from inference.core.load_progress import LoadProgress, OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import DeathReason, Loaded, Memory, RankState
from inference.core.requests import NEUTRAL, Request, Sampling
from inference.pool import Pool, PoolOptions
from inference.pool.workers.growths import Growth
from inference.repository.catalog import CatalogContents
from inference.serving import tracing

GB = 10**9


class FakeRunner:
    """A Runner that answers from a script and remembers what it was asked.

    `refuse_with` refuses before Accepted, `fail_with` ends the stream after the deltas, `hold` makes
    every answer wait before its last delta until the event is set.
    """

    def __init__(
        self,
        deltas: Sequence[str] = ("Hello", " there"),
        *,
        reason: FinishReason = "stop",
        prompt_tokens: int = 5,
        refuse_with: ServerError | None = None,
        fail_with: ServerError | None = None,
        load_error: str = "",
        load_kind: LoadFailure = "files",
        load_gate: asyncio.Event | None = None,
        hold: asyncio.Event | None = None,
        delay_s: float = 0.0,
        sees: bool = False,
    ) -> None:
        self.deltas = deltas
        self.reason = reason
        self.prompt_tokens = prompt_tokens
        self.refuse_with = refuse_with
        self.fail_with = fail_with
        self.load_error = load_error
        self.load_kind = load_kind
        self.load_gate = load_gate
        self.hold = hold
        self.delay_s = delay_s
        self.sees = sees
        self.requests: list[Request] = []
        self.loads: list[str] = []
        self.contexts: list[int] = []
        self.owners: list[str] = []
        self.sheds: list[int] = []
        self.dropped: list[tuple[str, ...]] = []
        self.device_bytes = 0
        self.end_reason = ""
        self.death_reason: DeathReason = "unknown"
        self.is_late = False
        self._report: Callable[[Memory], None] = lambda memory: None
        self.cancelled = 0
        self.running = 0
        self.is_stopped = False
        self.pid: int | None = 4242
        self.ranks: tuple[RankState, ...] = ()
        self.memory = Memory(active=GB, peak=GB, cache=0, resident=GB)
        self._ended = asyncio.Event()

    async def warm_up(self) -> bool:
        return not self._ended.is_set()

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        self.loads.append(card.id)
        self.contexts.append(card.context_length)
        on_progress(LoadProgress(phase="weights", percent=40))
        if self.load_gate:
            await self._hold_or_die(self.load_gate)
        if self.is_stopped:
            raise WorkerDied("The model's process ended while it loaded.")
        if self.load_error:
            raise ModelLoadFailed(self.load_error, kind=self.load_kind)
        on_progress(LoadProgress(phase="weights", percent=100))
        return Loaded(
            seconds=0.5,
            memory=self.memory,
            context_length=card.context_length,
            vocab_size=100,
            device="cpu",
            adapter="fake",
            sees=self.sees,
            stop_tokens=("<end>",),
        )

    def limit_growth(self, request: Request, growth: Growth) -> None:
        """Its answers never ask for more tokens."""

    async def end_thinking(self, request: Request) -> int:
        """It never reasons."""
        return 0

    def shed(self, keep_bytes: int) -> None:
        self.sheds.append(keep_bytes)
        kept = min(self.memory.prefix_cache, keep_bytes)
        freed = self.memory.prefix_cache - kept
        changed = msgspec.structs.replace(self.memory, prefix_cache=kept, active=self.memory.active - freed)
        self.report(changed)

    def drop_loras(self, names: tuple[str, ...]) -> None:
        self.dropped.append(names)

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        self._report = report

    def report(self, memory: Memory) -> None:
        """Report memory figures as a heartbeat does."""
        self.memory = memory
        self._report(memory)

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.requests.append(request)
        self.owners.append(owner)
        self.running += 1
        is_done = False
        try:
            if self.refuse_with:
                is_done = True
                raise self.refuse_with
            most = getattr(request, "max_tokens", None) or 0
            yield Accepted(prompt_tokens=self.prompt_tokens, max_tokens=most, sampling=drawn_with(request))
            for index, text in enumerate(self.deltas):
                await asyncio.sleep(self.delay_s)
                if self.hold and index == len(self.deltas) - 1:
                    await self._hold_or_die(self.hold)
                if self._ended.is_set():
                    is_done = True
                    raise WorkerDied("The model's process ended; ask again.")
                yield TextDelta(text=text)
            is_done = True
            if self.fail_with:
                raise self.fail_with
            usage = Usage(prompt_tokens=self.prompt_tokens, completion_tokens=len(self.deltas))
            yield Ended(reason=self.reason)
            yield Finished(usage=usage)
        finally:
            self.running -= 1
            self.cancelled += not is_done

    async def _hold_or_die(self, hold: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(hold.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        self.is_stopped = True
        self._ended.set()

    def die(self, reason: str = "its process ended unexpectedly") -> None:
        """End as a killed worker does."""
        self.end_reason = reason
        self._ended.set()


class EventRunner(FakeRunner):
    """A Runner that answers every request with the same events."""

    def __init__(self, *events: Event) -> None:
        super().__init__()
        self._events = events

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.requests.append(request)
        self.owners.append(owner)
        for event in self._events:
            if isinstance(event, Accepted) and event.sampling == Sampling():
                event = msgspec.structs.replace(event, sampling=drawn_with(request))
            yield event


def drawn_with(request: Request) -> Sampling:
    """What a worker whose model recommends nothing would draw the answer's tokens with."""
    asked = getattr(request, "sampling", None)
    return asked.over(NEUTRAL) if asked else Sampling()


def card(model_id: str = "tiny", **changes: Any) -> ModelCard:
    """A servable model's card of one gigabyte."""
    facts: dict[str, Any] = {
        "id": model_id,
        "path": f"/models/{model_id}",
        "source": "folder",
        "family": "llama",
        "context_length": 8192,
        "weight_bytes": GB,
        "resident_bytes": GB,
        "created": 1_700_000_000,
    }
    return ModelCard(**(facts | changes))


class FakeCatalog:
    """A Catalog over cards given by hand."""

    def __init__(self, *cards: ModelCard) -> None:
        self._cards = {card.id: card for card in cards}
        self._contents = CatalogContents.of(self._cards)

    def scan(self) -> tuple[ModelCard, ...]:
        return tuple(self._cards.values())

    def find(self, model_id: str) -> ModelCard | None:
        return self._contents.find(model_id)

    def known(self, model_id: str) -> ModelCard | None:
        return self.find(model_id)

    def exact(self, model_id: str) -> ModelCard | None:
        return self._cards.get(model_id)

    def forget(self) -> None:
        return None


def fake_pool(runners: Sequence[FakeRunner], *cards: ModelCard, **options: Any) -> Pool:
    """A real Pool that is handed `runners` in order, one per load."""
    waiting = iter(runners)
    usual: dict[str, Any] = {
        "find_card": FakeCatalog(*(cards or (card(),))).find,
        "limit_bytes": 10 * GB,
        "queue_limit": 8,
        "load_timeout_s": 5,
        "keep_spare": False,
        "min_residency_s": 0,
        "gauge": lambda: 1.0,
        "start_runner": lambda: next(waiting),
        "load_span": tracing.load_span,
    }
    given = usual | options
    names = {field.name for field in dataclasses.fields(PoolOptions)} & given.keys()
    pool_options = PoolOptions(**{name: given.pop(name) for name in names})
    return Pool(pool_options, **given)


@contextmanager
def serving(*runners: FakeRunner, cards: Sequence[ModelCard] = (), **options: Any) -> Any:
    """Serve the site from these runners while the block runs; yields the pool."""
    from inference.serving import runtime  # it needs Django, and the pool's tests do not

    shown = tuple(cards) or (card(),)
    models: Any = FakeCatalog(*shown)
    with runtime.use_pool(fake_pool(runners, *shown), models=models, **options) as pool:
        yield pool
