"""The Runner port: the holder of one loaded model, which is a ProcessRunner, or a fake in tests."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from inference.core.events import Event
from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import DeathReason, Loaded, Memory, RankState
from inference.core.requests import Request
from inference.pool.workers.growths import Growth


class Runner(Protocol):
    """One model's holder. Load once, submit many, stop once."""

    @property
    def pid(self) -> int | None: ...

    @property
    def memory(self) -> Memory:
        """The last memory figures reported."""
        ...

    @property
    def ranks(self) -> tuple[RankState, ...]:
        """The processes that compute its model together; none where one process does."""
        ...

    async def warm_up(self) -> bool:
        """Prepare everything that does not depend on the model, so that a load costs only its weights.

        False where it has ended instead.
        """
        ...

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        """Load the model, reporting its progress; raises ModelLoadFailed."""
        ...

    def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        """Run one request: Accepted first, Finished last, or a ServerError; closing it cancels.

        Prefixes are looked up and kept in `owner`'s part of the prefix cache.
        """
        ...

    def limit_growth(self, request: Request, growth: Growth) -> None:
        """Limit the answers of `request`, the very object that is submitted next, to what `growth` grants."""
        ...

    async def end_thinking(self, request: Request) -> int:
        """End the reasoning in the answers of a running request now; in how many of them it does.

        `request` is the very object that was submitted; 0 for one that has ended.
        """
        ...

    def shed(self, keep_bytes: int) -> None:
        """Ask it to shrink its prefix cache to `keep_bytes`; the next memory report has the outcome."""
        ...

    def drop_loras(self, names: tuple[str, ...]) -> None:
        """Have it drop these adapters, which no request uses; the next memory report has the outcome."""
        ...

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        """Call `report` on the loop with every memory report from now on."""
        ...

    @property
    def device_bytes(self) -> int:
        """What the device may use at most, known once warm; 0 when it has no limit of its own."""
        ...

    @property
    def is_late(self) -> bool:
        """Whether it has made no progress for so long that it may be stuck."""
        ...

    @property
    def end_reason(self) -> str:
        """Why it ended by itself, as a text; empty while it lives."""
        ...

    @property
    def death_reason(self) -> DeathReason:
        """The kind of its end by itself; of no meaning while it lives."""
        ...

    async def wait_ended(self) -> None:
        """Return once the runner can serve no more, for whatever reason."""
        ...

    async def stop(self) -> None:
        """End it and give its memory back; running requests end with an error. Idempotent."""
        ...


StartRunner = Callable[[], Runner]
