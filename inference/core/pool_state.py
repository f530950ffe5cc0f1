"""The state of the pool: models in memory, memory figures, events and snapshots."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from inference.core.load_progress import LoadPhase
from inference.core.model_card import Finding, Light, worst


class Memory(Struct, frozen=True, kw_only=True):
    """A worker's memory in bytes: MLX's own counters, the process's resident size, and what is in them."""

    active: int = 0
    peak: int = 0
    cache: int = 0  # freed buffers that MLX keeps for reuse
    resident: int = 0
    helpers: int = 0  # resident size of the processes that render its templates and decode its pictures
    kv: int = 0  # part of active: the KV caches of running sequences
    prefix_cache: int = 0  # part of active: KV caches kept for later prompts, which can be shed

    @property
    def held(self) -> int:
        """What the system has given up for it: not all that Metal holds for it is resident."""
        return max(self.resident, self.active + self.cache) + self.helpers


class RankState(Struct, frozen=True, kw_only=True):
    """One of the processes that compute a model together."""

    rank: int
    pid: int | None = None  # on its own machine
    host: str = ""  # as ssh reaches it; empty on this machine
    memory: Memory = Memory()


_FOUND_WITH_WEIGHTS = frozenset({"batch", "kv_cache", "pictures", "prefixes", "ranks", "speculation"})


class Loaded(Struct, frozen=True, kw_only=True):
    """What a worker reports once its model is ready."""

    seconds: float
    memory: Memory
    context_length: int
    vocab_size: int
    device: str  # "cpu", "gpu"
    kv_bytes_per_token: int = 0
    kv_bits: int = 0  # of quantised KV caches; 0: they are whole
    draft_model: str = ""  # that is loaded beside it
    blas: str = ""  # which BLAS library a CPU worker multiplies with
    adapter: str = ""
    stop_tokens: tuple[str, ...] = ()
    sees: bool = False  # it takes pictures
    findings: tuple[Finding, ...] = ()  # of the adapter's self-test

    @property
    def light(self) -> Light:
        """Green when the self-test found nothing, else the worst of what it found."""
        return worst(self.findings)

    @property
    def adapter_findings(self) -> tuple[Finding, ...]:
        """Those of the adapter's self-test alone, which can be repeated without the weights."""
        return tuple(finding for finding in self.findings if finding.about not in _FOUND_WITH_WEIGHTS)


class ModelState(StrEnum):
    """Where a model is in its life; a model that is not in the pool is unloaded."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    DRAINING = "draining"
    FAILED = "failed"

    @property
    def is_in_memory(self) -> bool:
        """Whether a worker holds it, or is about to."""
        return self not in {ModelState.UNLOADED, ModelState.FAILED}


class ResidentModel(Struct, frozen=True, kw_only=True):
    """One model's place in the pool at one moment."""

    id: str
    state: ModelState
    leases: int = 0
    loaded_percent: int = 0
    load_phase: LoadPhase | Literal[""] = ""  # what a load is doing; empty unless it is being loaded
    reserved_bytes: int = 0
    memory: Memory = Memory()
    pid: int | None = None
    ranks: tuple[RankState, ...] = ()  # of a model that several processes compute
    idle_s: float = 0.0
    load_s: float = 0.0
    is_pinned: bool = False
    kv_reserved_bytes: int = 0  # part of reserved_bytes: for the tokens its streams may still make
    kv_growth_bytes: int = 0  # not reserved: if every answer of its streams becomes as long as it may
    is_late: bool = False  # its worker has made no progress for so long that it may be stuck
    paused: int = 0  # of its leases: they wait for memory to go on
    restarts: int = 0  # how often its worker has died since the site started
    retry_in_s: float = 0.0  # a crash loop's back-off: no load before that
    reason: str = ""  # why it failed, or why its last worker ended
    loaded: Loaded | None = None  # what its worker found, once it is loaded


class ContextFit(Struct, frozen=True, kw_only=True):
    """Tokens of prompt and answer that one request of a model may have, and what memory there is for them.

    `now` and `alone` are 0 where the model does not fit.
    """

    context: int  # that a request may have: it stays the same while the model is loaded
    own: int  # that the model and the site's settings allow
    limited_by: Literal["model", "operator", "memory"]  # why `context` is not longer
    now: int  # for which memory is free without unloading another model
    alone: int  # for which there is memory with only the pinned models beside it

    @property
    def text(self) -> str:
        """The figures as sentences."""
        return f"The context of this model is {self.context} tokens here: {self._reason}. {self._memory}"

    @property
    def _reason(self) -> str:
        match self.limited_by:
            case "memory":
                return f"of its own {self.own} no more fit this server's memory"
            case "operator":
                return f"an operator chose that, and its own is {self.own}"
        return "neither the model nor the settings allow more"

    @property
    def _memory(self) -> str:
        if not self.alone:
            return "There is no memory for any of them, even if only pinned models stay loaded."
        alone = "" if self.now == self.alone else f", and for {self.alone} if only pinned models stay loaded"
        return f"Memory is free for {self.now} of them now{alone}."


Pressure = Literal["normal", "shedding", "evicting", "refusing"]


# Why a model left memory without dying.
EvictionReason = Literal["memory", "pressure", "over_limit", "load_retry", "idle", "operator", "unservable"]
# How a worker died: killed by the system, crashed inside a library, stuck, and so on.
DeathReason = Literal[
    "killed", "crashed", "stuck", "protocol", "internal_error", "prompt_timeout", "exited", "unknown"
]


class PoolEvent(Struct, frozen=True, kw_only=True):
    """One decision of the pool, as a text and with its numbers (bytes, seconds)."""

    kind: Literal[
        "loaded",
        "load_failed",
        "evicted",
        "expired",
        "unloaded",
        "shed",
        "refused",
        "died",
        "restarted",
        "paused",
        "resumed",
        "cut_short",
        "pinned",
        "unpinned",
        "pressure",
    ]
    model: str  # empty when it is about the whole pool
    text: str  # "evicted B: idle 412 s; needed 5.1 GB, free 3.2 GB of 12 GB"
    at: float  # unix time
    needed_bytes: int = 0
    free_bytes: int = 0
    limit_bytes: int = 0
    seconds: float = 0.0  # idle, load or run time, whichever the kind is about
    reason: Literal["", EvictionReason, DeathReason] = ""  # of an eviction or a death, for counting
    findings: tuple[Finding, ...] = ()  # of a load's self-test


class PoolSnapshot(Struct, frozen=True, kw_only=True):
    """The whole pool at one moment, safe to read from any thread."""

    limit_bytes: int
    reserved_bytes: int = 0
    claimed_bytes: int = 0  # part of reserved_bytes: for work beside the models, such as quantising one
    waiting: int = 0
    models: tuple[ResidentModel, ...] = ()
    is_spare_ready: bool = False
    spare_pid: int | None = None
    has_spare_failed: bool = False  # the last spare worker ended before it was needed
    pressure: Pressure = "normal"
    events: tuple[PoolEvent, ...] = ()  # the last ones, oldest first

    def of(self, model_id: str) -> ResidentModel:
        """The model's place in the pool, `unloaded` when it has none."""
        for model in self.models:
            if model.id == model_id:
                return model
        return ResidentModel(id=model_id, state=ModelState.UNLOADED)
