"""A pool with a clock to set and as many fake runners as it wants, for scenarios step by step."""

import asyncio
from typing import Any

from inference.core.errors import ServerError
from inference.core.model_card import ModelCard
from inference.core.pool_state import Memory, ModelState
from inference.pool import Pool
from inference.pool.residency.lease import PendingLease
from tests.fakes import FakeRunner, fake_pool


async def spin() -> None:
    """Let everything happen that needs no time."""
    for _ in range(12):
        await asyncio.sleep(0)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """Requests come and go by hand; `given` runners are used first, then plain ones."""

    def __init__(self, *cards: ModelCard, given: tuple[FakeRunner, ...] = (), **options: Any) -> None:
        self.clock = Clock()
        self.runners: list[FakeRunner] = []
        self.available = 1.0
        self._given = list(given)
        usual = {"clock": self.clock, "gauge": lambda: self.available, "start_runner": self._start}
        self.pool: Pool = fake_pool([], *cards, **(usual | options))

    def _start(self) -> FakeRunner:
        self.runners.append(self._given.pop(0) if self._given else FakeRunner())
        return self.runners[-1]

    async def ask(self, model: str, tokens: int | None = 0, share: str = "") -> PendingLease:
        """Join the queue for a model and let happen what happens."""
        pending = await self.pool.admission.join(model, tokens, share=share)
        await spin()
        return pending

    async def use(self, model: str) -> None:
        """One short request from its beginning to its end."""
        await self.leave(await self.ask(model))

    async def leave(self, *all_pending: PendingLease) -> None:
        for pending in all_pending:
            self.pool.admission.leave(pending)
        await spin()

    async def pass_s(self, seconds: float) -> None:
        """Time goes by, and housekeeping happens at its end."""
        self.clock.now += seconds
        self.pool.tick()
        await spin()

    async def report(self, model: str, **figures: int) -> None:
        self.runner_of(model).report(Memory(**figures))
        await spin()

    async def kill(self, model: str) -> None:
        self.runner_of(model).die("killed by a test")
        await spin()

    def runner_of(self, model: str) -> FakeRunner:
        """The last runner that loaded this model."""
        return [runner for runner in self.runners if model in runner.loads][-1]

    def state(self, model: str) -> ModelState:
        return self.pool.snapshot().of(model).state

    @property
    def resident(self) -> set[str]:
        gone = {ModelState.UNLOADED, ModelState.FAILED}
        return {model.id for model in self.pool.snapshot().models if model.state not in gone}

    @property
    def reserved(self) -> int:
        return self.pool.snapshot().reserved_bytes

    def reasons_of(self, kind: str) -> list[str]:
        return [event.reason for event in self.pool.snapshot().events if event.kind == kind]

    def texts_of(self, kind: str) -> list[str]:
        """The texts of all events of one kind."""
        return [event.text for event in self.pool.snapshot().events if event.kind == kind]


def is_granted(pending: PendingLease) -> bool:
    return pending.granted.done() and not pending.granted.cancelled() and pending.granted.exception() is None


def refusal(pending: PendingLease) -> ServerError:
    """What it was refused with."""
    error = pending.granted.exception()
    assert isinstance(error, ServerError)
    return error
