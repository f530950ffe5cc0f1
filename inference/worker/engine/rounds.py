"""The rounds of the engine's loop: where their commands come from."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from inference.worker.engine.commands import Command

if TYPE_CHECKING:  # a spare worker reads its socket before it has imported MLX
    from inference.worker.engine.recovery import Steppable
    from inference.worker.engine.sequence import Lost, Output


class EngineBatch(Protocol):
    """What the engine steps: a ResilientBatch, or a LockstepBatch for a model of several ranks."""

    @property
    def is_busy(self) -> bool: ...

    @property
    def ids(self) -> list[int]: ...

    @property
    def loras(self) -> set[str]: ...

    @property
    def kv_bytes(self) -> int: ...

    def add(self, *group: Any) -> None: ...

    def remove(self, number: int) -> None: ...

    def suspend(self, number: int) -> Any | None: ...

    def end_thinking(self, number: int) -> bool: ...

    def step(self) -> "Iterator[Output | Lost]": ...


class Rounds(Protocol):
    """Gives each round its commands, and learns what it computed. Used on the engine's thread."""

    def new_batch(self, new: "Callable[[], Steppable]", on_failure: Callable[[], None]) -> EngineBatch:
        """What the rounds step from now on; `new` makes an empty batch."""
        ...

    def next(self, posted: Callable[[], list[Command]]) -> list[Command]:
        """The commands of the next round; `posted` waits for those of this process."""
        ...

    def note(self, outputs: "Iterable[Output]") -> None:
        """Note what a step computed."""
        ...


class OwnRounds:
    """The rounds of a process that computes its model alone."""

    def new_batch(self, new: "Callable[[], Steppable]", on_failure: Callable[[], None]) -> EngineBatch:
        from inference.worker.engine.recovery import ResilientBatch

        return ResilientBatch(new, on_failure)

    def next(self, posted: Callable[[], list[Command]]) -> list[Command]:
        return posted()

    def note(self, outputs: "Iterable[Output]") -> None:
        """Nobody else has to know."""
