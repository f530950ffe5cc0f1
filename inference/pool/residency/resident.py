"""A resident model and the bytes that it holds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from inference.core.load_progress import LoadProgress
from inference.core.model_card import LoraCard, ModelCard
from inference.core.pool_state import Loaded, Memory, ModelState, ResidentModel
from inference.pool.workers.runner import Runner

_SHED_WITHIN_S = 2.0
_SHED_RETRY_S = 5.0


@dataclass(frozen=True)
class Stream:
    """One lease of a model: the number of its request, as they came, and when it was granted.

    Time in which it was paused does not count: it is granted as much later. `weight` is the number of its
    answers, which count for its account's share.
    """

    number: int
    granted_at: float
    share: str = ""
    weight: int = 1


@dataclass(eq=False)
class Resident:
    """A model that holds bytes of the memory limit: loading, ready or draining.

    Its bytes are the larger of prediction and report, for each of: weights with the transients of prefill and
    the helper processes, KV caches, and the prefix cache.
    """

    card: ModelCard
    runner: Runner
    last_used: float
    state: ModelState = ModelState.LOADING
    streams: list[Stream] = field(default_factory=list)
    progress: LoadProgress = LoadProgress()  # while loading
    load_s: float = 0.0
    loaded: Loaded | None = None
    ready_at: float = 0.0
    kv_per_token: int = 0
    promised: int = 0  # while loading: for the request that asked for it
    kv_reserved: int = 0  # for the tokens of running leases
    kv_ceiling: int = 0  # if every one of their answers becomes as long as it may
    kv_pausing: int = 0  # part of kv_reserved: of leases that were asked to pause
    paused: int = 0  # leases that wait for memory to go on
    unsettled: int = 0  # of ended leases: may have become prefix cache until the worker reports
    is_settled: bool = True  # the worker has reported since the last lease ended
    has_been_stopped: bool = False  # the pool ended its worker
    loras: dict[str, int] = field(default_factory=dict)  # bytes of its loaded adapters, latest used last
    lora_leases: Counter[str] = field(default_factory=Counter)  # of each of them
    cancel_reason: str = ""  # why its load was cancelled
    _dropped: int = 0  # bytes of dropped adapters that the worker's report still has
    _shed_to: int | None = None
    _shed_at: float = 0.0
    _ignores_sheds: bool = False  # it did not shed when it was asked to

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer that its load fixed."""
        return self.loaded.context_length if self.loaded else self.card.context_length

    @property
    def leases(self) -> int:
        return len(self.streams)

    @property
    def is_idle(self) -> bool:
        return self.state == ModelState.READY and self.leases == 0

    @property
    def is_evictable(self) -> bool:
        return self.is_idle and not self.card.is_pinned and not self.card.is_remote  # which holds no memory

    @property
    def is_leaving(self) -> bool:
        return self.state == ModelState.DRAINING

    @property
    def bytes(self) -> int:
        return self._base(self.leases) + self._kv(0) + self.runner.memory.prefix_cache + self.promised

    @property
    def base(self) -> int:
        """Bytes without KV caches and prefix cache, and without adapters that no stream uses."""
        return self._base(self.leases) - sum(self.idle_loras().values())

    @property
    def least_base(self) -> int:
        """Bytes that it holds without any lease, KV cache or prefix."""
        return self._base(0)

    @property
    def coming_free(self) -> int:
        """Bytes that become free, or prefixes that can be shed, without any further decision."""
        if self.is_leaving and not self.leases:
            return self.bytes
        shed = 0 if self._shed_to is None else max(0, self.runner.memory.prefix_cache - self._shed_to)
        return shed + self._dropped + self.unsettled + self.kv_pausing

    def cost_of_kv(self, tokens: int) -> int:
        """Bytes that `tokens` more tokens of its leases add."""
        return self._kv(tokens * self.kv_per_token) - self._kv(0)

    def cost_of(self, tokens: int) -> int:
        """Bytes that one more lease of `tokens` tokens adds."""
        more = self._base(self.leases + 1) + self._kv(tokens * self.kv_per_token)
        return more - self._base(self.leases) - self._kv(0)

    def lora_cost(self, lora: LoraCard | None) -> int:
        """Bytes that a lease with this adapter adds: none where an earlier one has loaded it."""
        return max(0, lora.resident_bytes - self.loras.get(lora.name, 0)) if lora else 0

    def lease_lora(self, lora: LoraCard | None) -> None:
        """Count an adapter from its first lease on: the worker keeps it until it is dropped."""
        if lora:
            self.lora_leases[lora.name] += 1
            self.loras[lora.name] = max(lora.resident_bytes, self.loras.pop(lora.name, 0))

    def release_lora(self, lora: LoraCard | None) -> None:
        """A lease of an adapter has ended."""
        if lora:
            self.lora_leases[lora.name] -= 1

    def idle_loras(self, wanted: str = "") -> dict[str, int]:
        """The bytes of its adapters without streams, least recently used first; not of a `wanted` one."""
        return {
            name: size for name, size in self.loras.items() if name != wanted and not self.lora_leases[name]
        }

    def drop_loras(self, names: tuple[str, ...]) -> None:
        """Have the worker drop these adapters."""
        before, dropped = self.bytes, sum(self.loras.pop(name) for name in names)
        self._dropped += dropped - (before - self.bytes)
        self.runner.drop_loras(names)

    @property
    def sheddable(self) -> int:
        """Bytes of its prefix cache that it can be asked to drop."""
        if self.state != ModelState.READY or self._shed_to is not None or self._ignores_sheds:
            return 0
        return self.runner.memory.prefix_cache

    @property
    def reclaiming(self) -> int:
        """Bytes that are being freed: all of a draining model, or what it was asked to shed and drop."""
        if self.is_leaving:
            return self.bytes
        shed = 0 if self._shed_to is None else max(0, self.runner.memory.prefix_cache - self._shed_to)
        return shed + self._dropped

    def shed(self, keep: int, now: float) -> None:
        """Ask the worker to shrink its prefix cache to `keep` bytes."""
        self._shed_to, self._shed_at = keep, now
        self.runner.shed(keep)

    def note_report(self, memory: Memory) -> None:
        """Account for a memory report; `runner.memory` is already this one."""
        self.unsettled, self.is_settled, self._dropped = 0, True, 0
        if self._shed_to is not None and memory.prefix_cache <= self._shed_to:
            self._shed_to = None

    def expire_shed(self, now: float) -> None:
        """Stop waiting for a shed that did not happen; allow another one later."""
        if self._shed_to is not None and now - self._shed_at > _SHED_WITHIN_S:
            self._shed_to, self._ignores_sheds = None, True
        if self._ignores_sheds and now - self._shed_at > _SHED_WITHIN_S + _SHED_RETRY_S:
            self._ignores_sheds = False

    def as_model(self, now: float) -> ResidentModel:
        is_busy = self.state == ModelState.READY and self.leases > 0
        return ResidentModel(
            id=self.card.id,
            state=ModelState.BUSY if is_busy else self.state,
            leases=self.leases,
            loaded_percent=self.progress.percent,
            load_phase=self.progress.phase if self.state == ModelState.LOADING else "",
            reserved_bytes=self.bytes,
            memory=self.runner.memory,
            pid=self.runner.pid,
            ranks=self.runner.ranks,
            idle_s=now - self.last_used if self.is_idle else 0.0,
            load_s=self.load_s,
            loaded=self.loaded,
            is_pinned=self.card.is_pinned,
            kv_reserved_bytes=self.kv_reserved + self.unsettled,
            kv_growth_bytes=max(0, self.kv_ceiling - self.kv_reserved),
            paused=self.paused,
            is_late=self.runner.is_late,
        )

    def _base(self, leases: int) -> int:
        memory = self.runner.memory
        predicted = self.card.resident_bytes + sum(self.loras.values())
        predicted += self.card.prefill_bytes if leases else 0
        return max(predicted, memory.active + memory.helpers - memory.kv - memory.prefix_cache)

    def _kv(self, more: int) -> int:
        return max(self.kv_reserved + self.unsettled + more, self.runner.memory.kv)


def idle_lora_bytes(residents: Iterable[Resident], wanted: str) -> int:
    """The bytes of all adapters without streams, but for a `wanted` one."""
    return sum(sum(resident.idle_loras(wanted).values()) for resident in residents)
