"""A model's place in the pool, and the bytes it takes there."""

from dataclasses import dataclass, field

from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded, Memory, ModelState, ResidentModel
from inference.pool.workers.runner import Runner

_SHED_WITHIN_S = 2.0
_STUBBORN_S = 5.0


@dataclass(frozen=True)
class Stream:
    """One lease of a model: the number of its request, as they came, and when it was granted."""

    number: int
    granted_at: float


@dataclass(eq=False)
class Resident:
    """A model that holds bytes of the budget: loading, ready, or giving them back.

    Its bytes are the larger of what was predicted and what its worker reports, part by part: weights with
    the transients of prefill, KV caches, and the prefix cache.
    """

    card: ModelCard
    runner: Runner
    last_used: float
    state: ModelState = ModelState.LOADING
    streams: list[Stream] = field(default_factory=list)
    percent: int = 0
    load_s: float = 0.0
    loaded: Loaded | None = None
    ready_at: float = 0.0
    kv_per_token: int = 0
    promised: int = 0  # while loading: for the request that asked for it
    kv_reserved: int = 0  # for the tokens of running leases
    unsettled: int = 0  # of ended leases: may have become prefix cache until the worker reports
    is_settled: bool = True  # the worker has reported since the last lease ended
    has_been_stopped: bool = False  # its worker's end is ours, not its own
    broken_off: str = ""  # why its load was ended, by whom it was
    _shed_to: int | None = None
    _shed_at: float = 0.0
    _is_stubborn: bool = False  # did not shed what it was asked to

    @property
    def leases(self) -> int:
        return len(self.streams)

    @property
    def is_idle(self) -> bool:
        return self.state == ModelState.READY and self.leases == 0

    @property
    def is_evictable(self) -> bool:
        return self.is_idle and not self.card.is_pinned

    @property
    def is_leaving(self) -> bool:
        return self.state == ModelState.DRAINING

    @property
    def bytes(self) -> int:
        return self._base(self.leases) + self._kv(0) + self.runner.memory.prefix_cache + self.promised

    @property
    def base(self) -> int:
        """What stays when its streams have ended and its prefixes are shed."""
        return self._base(self.leases)

    def cost_of(self, tokens: int) -> int:
        """What one more lease of so many tokens adds to its bytes."""
        more = self._base(self.leases + 1) + self._kv(tokens * self.kv_per_token)
        return more - self._base(self.leases) - self._kv(0)

    @property
    def sheddable(self) -> int:
        """Bytes of prefixes it could be asked to give up."""
        if self.state != ModelState.READY or self._shed_to is not None or self._is_stubborn:
            return 0
        return self.runner.memory.prefix_cache

    @property
    def coming(self) -> int:
        """Bytes on their way back: all of one that leaves, and what one was asked to shed."""
        if self.is_leaving:
            return self.bytes
        return 0 if self._shed_to is None else max(0, self.runner.memory.prefix_cache - self._shed_to)

    def shed(self, keep: int, now: float) -> None:
        self._shed_to, self._shed_at = keep, now
        self.runner.shed(keep)

    def reported(self, memory: Memory) -> None:
        """Take a memory report into account; `runner.memory` already is this one."""
        self.unsettled, self.is_settled = 0, True
        if self._shed_to is not None and memory.prefix_cache <= self._shed_to:
            self._shed_to = None

    def age(self, now: float) -> None:
        """Give up on a shed that did not come, and later ask again."""
        if self._shed_to is not None and now - self._shed_at > _SHED_WITHIN_S:
            self._shed_to, self._is_stubborn = None, True
        if self._is_stubborn and now - self._shed_at > _SHED_WITHIN_S + _STUBBORN_S:
            self._is_stubborn = False

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
            idle_s=now - self.last_used if self.is_idle else 0.0,
            load_s=self.load_s,
            loaded=self.loaded,
            is_pinned=self.card.is_pinned,
            kv_reserved_bytes=self.kv_reserved + self.unsettled,
        )

    def _base(self, leases: int) -> int:
        memory = self.runner.memory
        predicted = self.card.resident_bytes + (self.card.prefill_bytes if leases else 0)
        return max(predicted, memory.active - memory.kv - memory.prefix_cache)

    def _kv(self, more: int) -> int:
        return max(self.kv_reserved + self.unsettled + more, self.runner.memory.kv)
