"""What holds one loaded model: the Runner port, and ProcessRunner, its worker-process form."""

from collections.abc import AsyncIterator, Callable
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

    async def load(self, card: ModelCard, on_progress: Callable[[int], None]) -> Loaded:
        """Load the model, reporting percent; raises ModelLoadFailed."""
        ...

    def submit(self, request: Request) -> AsyncIterator[Event]:
        """Run one request: Accepted first, Finished last, or a ServerError; closing it cancels."""
        ...

    async def wait_ended(self) -> None:
        """Return once the runner can serve no more, for whatever reason."""
        ...

    async def stop(self) -> None:
        """End it and give its memory back; running requests end with an error. Idempotent."""
        ...


StartRunner = Callable[[], Runner]
