"""The pool on a simulated clock: requests that come and run, and models that load, for known times."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded
from inference.pool.residency.lease import PendingLease
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, is_granted, spin


@dataclass(frozen=True)
class Asked:
    """One request: when it comes, for which model, and how long it runs."""

    at: float
    model: str
    run_s: float


@dataclass(frozen=True)
class Outcome:
    """How long each request waited, in the order they came, and the models in the order they were loaded."""

    waits: tuple[float, ...]
    loads: tuple[str, ...]


class TimedRunner(FakeRunner):
    """Its load ends when the simulation says so."""

    def __init__(self, simulation: "Simulation") -> None:
        super().__init__()
        self._simulation = simulation

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        await self._simulation.load(card.id)
        return await super().load(card, on_progress)


class Simulation:
    """One run. In strict order a request joins once all that came before it have been granted."""

    def __init__(
        self, asked: Sequence[Asked], load_s: dict[str, float], *, is_strict: bool = False, **options: Any
    ) -> None:
        self._asked = sorted(asked, key=lambda one: one.at)
        self._load_s = load_s
        self._is_strict = is_strict
        self._events: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._pending: dict[int, PendingLease] = {}
        self._granted_at: dict[int, float] = {}
        usual = {"limit_bytes": GB, "queue_limit": 1000, "wait_limit_s": 1e9, "load_timeout_s": 60}
        start_runner = {"start_runner": lambda: TimedRunner(self)}
        self._scene = Scene(*(card(model) for model in load_s), **(usual | start_runner | options))
        self._loads: list[str] = []

    async def run(self) -> Outcome:
        for second in range(int(self._asked[-1].at) + 1):
            self._after(float(second), self._scene.pool.tick)
        if self._is_strict:
            self._after(self._asked[0].at, lambda: self._join(0))
        else:
            for place, one in enumerate(self._asked):
                self._after(one.at, lambda place=place: self._join(place))  # type: ignore[misc]
        while len(self._granted_at) < len(self._asked):
            await self._step()
        waits = tuple(self._granted_at[place] - one.at for place, one in enumerate(self._asked))
        await self._scene.pool.close()
        return Outcome(waits, tuple(self._loads))

    async def load(self, model: str) -> None:
        """Wait until a load that begins now is over."""
        self._loads.append(model)
        is_over = asyncio.Event()
        self._after(self._now + self._load_s[model], is_over.set)
        await is_over.wait()

    @property
    def _now(self) -> float:
        return self._scene.clock.now - 1000

    def _after(self, at: float, action: Callable[[], Any]) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), action))

    async def _step(self) -> None:
        """The next moment in which something happens, and what comes of it at once."""
        at = self._events[0][0]
        self._scene.clock.now = 1000 + at
        while self._events and self._events[0][0] == at:
            _, _, action = heapq.heappop(self._events)
            if asyncio.iscoroutine(made := action()):
                await made
        await spin()
        self._scene.pool.tick()
        await spin()
        for place, pending in list(self._pending.items()):
            if place not in self._granted_at and is_granted(pending):
                self._note(place, pending)

    def _note(self, place: int, pending: PendingLease) -> None:
        self._granted_at[place] = self._now
        self._after(self._now + self._asked[place].run_s, lambda: self._scene.pool.admission.leave(pending))
        if self._is_strict and place + 1 < len(self._asked):
            self._after(max(self._now, self._asked[place + 1].at), lambda: self._join(place + 1))

    async def _join(self, place: int) -> None:
        self._pending[place] = await self._scene.pool.admission.join(self._asked[place].model, 0)


async def both(asked: Sequence[Asked], load_s: dict[str, float], **options: Any) -> tuple[Outcome, Outcome]:
    """As the pool does it, and in strict order."""
    return (
        await Simulation(asked, load_s, **options).run(),
        await Simulation(asked, load_s, is_strict=True, **options).run(),
    )
