"""A model's place in the pool."""

import time
from dataclasses import dataclass, field

from inference.pool.runner import Runner
from inference.types import ModelCard, ModelState, ResidentModel


@dataclass(eq=False)
class Resident:
    """A model that holds bytes of the budget: loading, ready, or giving them back."""

    card: ModelCard
    runner: Runner
    state: ModelState = ModelState.LOADING
    leases: int = 0
    percent: int = 0
    load_s: float = 0.0
    last_used: float = field(default_factory=time.monotonic)

    @property
    def is_evictable(self) -> bool:
        return self.state == ModelState.READY and self.leases == 0

    @property
    def is_leaving(self) -> bool:
        return self.state == ModelState.DRAINING

    @property
    def bytes(self) -> int:
        """What it takes of the budget: the prediction, or what its worker reports when that is more."""
        return max(self.card.resident_bytes, self.runner.memory.active)

    def shown(self, now: float) -> ResidentModel:
        is_busy = self.state == ModelState.READY and self.leases > 0
        return ResidentModel(
            id=self.card.id,
            state=ModelState.BUSY if is_busy else self.state,
            leases=self.leases,
            loaded_percent=self.percent,
            reserved_bytes=self.bytes,
            memory=self.runner.memory,
            pid=self.runner.pid,
            idle_s=0.0 if self.leases else now - self.last_used,
            load_s=self.load_s,
        )
