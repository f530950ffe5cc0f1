"""The rounds of rank 0, which decides for all ranks."""

from collections.abc import Callable, Iterable, Sequence

from inference.worker.engine.commands import Command
from inference.worker.engine.recovery import Steppable
from inference.worker.engine.sequence import Output
from inference.worker.lockstep import frames
from inference.worker.lockstep.batch import LockstepBatch
from inference.worker.lockstep.digest import TokenDigest


class LeadingRounds:
    """Sends each round to the other ranks before it begins; `pipes` are descriptors that lead to them."""

    def __init__(self, pipes: Sequence[int]) -> None:
        self._pipes = pipes
        self._digest = TokenDigest()
        self._batch: LockstepBatch | None = None

    def new_batch(self, new: Callable[[], Steppable], on_failure: Callable[[], None]) -> LockstepBatch:
        self._batch = LockstepBatch(new)
        return self._batch

    def next(self, posted: Callable[[], list[Command]]) -> list[Command]:
        """The commands of this process, which the others carry out too.

        Raises OSError when one of them is gone.
        """
        commands = posted()
        rate = self._batch.prefill_rate if self._batch else None
        frame = frames.Round(commands=frames.sent(commands), prefill_rate=rate, digest=self._digest.value)
        for pipe in self._pipes:
            frames.write(pipe, frame)
        return commands

    def note(self, outputs: Iterable[Output]) -> None:
        self._digest.add(outputs)
