"""The Runner port: whatever holds one loaded model. process.py has the real one, tests/fakes.py another."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from inference.types import Event, Loaded, Memory, ModelCard, Request


class Runner(Protocol):
    """One model's holder. Load once, submit many, stop once."""

    @property
    def pid(self) -> int | None: ...

    @property
    def memory(self) -> Memory:
        """The last memory figures reported."""
        ...

    async def warm_up(self) -> None:
        """Do all that can be done before the model is known, so that a load costs only its weights."""
        ...

    async def load(self, card: ModelCard, on_progress: Callable[[int], None]) -> Loaded:
        """Load the model, reporting percent; raises ModelLoadFailed."""
        ...

    def submit(self, request: Request) -> AsyncGenerator[Event]:
        """Run one request: Accepted first, Finished last, or a ServerError; closing it cancels."""
        ...

    async def wait_ended(self) -> None:
        """Return once the runner can serve no more, for whatever reason."""
        ...

    async def stop(self) -> None:
        """End it and give its memory back; running requests end with an error. Idempotent."""
        ...


StartRunner = Callable[[], Runner]
