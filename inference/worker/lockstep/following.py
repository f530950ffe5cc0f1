"""The rounds of the ranks behind rank 0, which decide nothing."""

import queue
from collections.abc import Callable, Iterable

from inference.worker.engine.commands import Command
from inference.worker.engine.recovery import Steppable
from inference.worker.engine.sequence import Output
from inference.worker.lockstep.batch import LockstepBatch
from inference.worker.lockstep.digest import TokenDigest
from inference.worker.lockstep.frames import Round, received


class RanksDisagree(Exception):
    """This rank has computed something else than rank 0: its answers would be nonsense from here on."""


class FollowingRounds:
    """Carries out the rounds that rank 0 sends; `put` may be called on any thread."""

    def __init__(self) -> None:
        self._rounds: queue.SimpleQueue[Round] = queue.SimpleQueue()
        self._digest = TokenDigest()
        self._batch: LockstepBatch | None = None
        self.put = self._rounds.put

    def new_batch(self, new: Callable[[], Steppable], on_failure: Callable[[], None]) -> LockstepBatch:
        self._batch = LockstepBatch(new)
        return self._batch

    def next(self, posted: Callable[[], list[Command]]) -> list[Command]:
        """The commands of rank 0's next round; raises RanksDisagree."""
        frame = self._rounds.get()
        if frame.digest != self._digest.value:
            raise RanksDisagree("this rank computed other tokens or other parts of prompts than rank 0")
        if self._batch:
            self._batch.prefill_rate = frame.prefill_rate
        return received(frame.commands)

    def note(self, outputs: Iterable[Output]) -> None:
        self._digest.add(outputs)
