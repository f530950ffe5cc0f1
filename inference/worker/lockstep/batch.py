"""LockstepBatch: the batch of a model that several ranks compute.

A step that fails fails on one rank, perhaps, and the others would wait for it. So nothing is recovered from:
the error ends the process, the pool ends the other ranks, and the model is loaded again.
"""

from collections.abc import Callable
from typing import Any

from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import Steppable


class LockstepBatch:
    """A Batch that lets errors pass, with the prefill speed that all ranks go by."""

    def __init__(self, new_batch: Callable[[], Steppable]) -> None:
        batch = new_batch()
        if not isinstance(batch, Batch):
            raise TypeError("An embedding model has one rank.")
        self._batch = batch
        self.add, self.remove, self.step = batch.add, batch.remove, batch.step
        self.end_thinking = batch.end_thinking

    @property
    def is_busy(self) -> bool:
        return self._batch.is_busy

    @property
    def ids(self) -> list[int]:
        return self._batch.ids

    @property
    def loras(self) -> set[str]:
        """None: adapters are off for a model of several ranks."""
        return set()

    @property
    def kv_bytes(self) -> int:
        return self._batch.kv_bytes

    @property
    def prefill_rate(self) -> float | None:
        """Prompt tokens per second, as measured; None before that."""
        return self._batch.prefill_budget.rate

    @prefill_rate.setter
    def prefill_rate(self, rate: float | None) -> None:
        self._batch.prefill_budget.rate = rate

    def suspend(self, number: int) -> Any | None:
        """Take a sequence out, to be added again later; None for one that has ended."""
        found = next((one for one in self._batch.unfinished if one.id == number), None)
        if found is not None:
            self._batch.remove(number)
        return found
