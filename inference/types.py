"""The nouns that cross threads and processes: frozen, and importing nothing of ours.

They are msgspec structs rather than dataclasses because the same objects travel as frames between
the site and its workers (protocol.py) and are encoded into server-sent events.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from inference.requests import Sampling

FinishReason = Literal["stop", "length", "tool_calls"]


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one request; cached tokens are part of the prompt's, reasoning of the completion's."""

    prompt_tokens: int
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Timings(Struct, frozen=True, kw_only=True):
    """Seconds the worker spent on each phase of one request."""

    queue_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0


class Progress(Struct, frozen=True, kw_only=True, tag="progress"):
    """What the request is waiting for; `done` of `total` where the phase can tell (else 0 of 0).

    In the queue these are its place, from 1 on, and how many wait.
    """

    phase: Literal["queued", "loading", "prefill"]
    done: int = 0
    total: int = 0
    cached: int = 0  # of `done`, tokens whose prefix was in the cache


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """The loaded model can serve this request: from here on nothing is refused."""

    prompt_tokens: int
    max_tokens: int = 0  # how long the answer may become
    sampling: Sampling = Sampling()  # what its tokens are drawn with, completed; empty where none are drawn


class TokenLogprob(Struct, frozen=True, kw_only=True):
    """A token with its log probability, and the likeliest ones in its place, likeliest first."""

    text: str
    bytes: tuple[int, ...]  # what the token stands for: not always whole characters
    logprob: float | None  # None for the first token of a prompt: nothing comes before it
    top: tuple["TokenLogprob", ...] = ()


class TextDelta(Struct, frozen=True, kw_only=True, tag="text"):
    """The next piece of visible answer text."""

    text: str
    index: int = 0  # which of the request's answers it belongs to
    tokens: int = 1  # how many tokens it took since the last delta
    logprobs: tuple[TokenLogprob, ...] = ()  # of those tokens, where they were asked for


class ReasoningDelta(Struct, frozen=True, kw_only=True, tag="reasoning"):
    """The next piece of the model's reasoning, kept apart from the answer."""

    text: str
    index: int = 0
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()


class ToolCallDelta(Struct, frozen=True, kw_only=True, tag="tool_call"):
    """The beginning of a call, which has its id and name, or the next piece of its arguments."""

    call: int  # which of the answer's calls
    id: str = ""
    name: str = ""
    text: str = ""  # of the arguments, as JSON
    index: int = 0
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    """One of the request's answers is complete."""

    reason: FinishReason
    index: int = 0


class Tokenized(Struct, frozen=True, kw_only=True, tag="tokenized"):
    """The prompts' token ids and text, as the model would be given them."""

    tokens: tuple[tuple[int, ...], ...]
    texts: tuple[str, ...]
    context_length: int


class Embedded(Struct, frozen=True, kw_only=True, tag="embedded"):
    """One vector for each input: little-endian 32-bit floats."""

    vectors: tuple[bytes, ...]


class Finished(Struct, frozen=True, kw_only=True, tag="finished"):
    """The one good end of a stream, after every answer has Ended; the other is a raised ServerError."""

    usage: Usage
    timings: Timings = Timings()


Delta = TextDelta | ReasoningDelta | ToolCallDelta
Event = Progress | Accepted | Delta | Ended | Tokenized | Embedded | Finished


Light = Literal["green", "amber", "red"]


class Memory(Struct, frozen=True, kw_only=True):
    """A worker's memory in bytes: MLX's own counters, the process's resident size, and what is in them."""

    active: int = 0
    peak: int = 0
    cache: int = 0  # freed buffers that MLX keeps for reuse
    resident: int = 0
    kv: int = 0  # part of active: the KV caches of running sequences
    prefix_cache: int = 0  # part of active: KV caches kept for later prompts, which can be shed

    @property
    def held(self) -> int:
        """What the system has given up for it: not all that Metal holds for it is resident."""
        return max(self.resident, self.active + self.cache)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that the self-test of a loaded model's adapter found wrong, in words for its owner."""

    light: Light  # amber: it works and is not right; red: what it is about is refused
    about: Literal["chat", "roles", "stops", "tools", "batch", "tokenizer", "prefixes"]
    text: str


def worst(findings: Iterable[Finding]) -> Light:
    lights = {finding.light for finding in findings}
    return "red" if "red" in lights else "amber" if "amber" in lights else "green"


class Loaded(Struct, frozen=True, kw_only=True):
    """What a worker reports once its model is ready."""

    seconds: float
    memory: Memory
    context_length: int
    vocab_size: int
    device: str  # "cpu", "gpu"
    kv_bytes_per_token: int = 0
    blas: str = ""  # which BLAS library a CPU worker multiplies with
    adapter: str = ""
    stop_tokens: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()  # of the adapter's self-test

    @property
    def light(self) -> Light:
        """Green when the self-test found nothing, else the worst of what it found."""
        return worst(self.findings)


class Choice(Struct, frozen=True, kw_only=True):
    """What the operator wants of one model, whatever its folder says."""

    is_pinned: bool = False
    idle_ttl_s: float | None = None
    aliases: tuple[str, ...] = ()
    adapter: str = ""  # by name, in the place of the one that would be found
    is_enabled: bool = True
    context_cap: int | None = None  # tokens, below the model's own
    sampling: Sampling = Sampling()  # for what a request leaves open, before the model's own


class ModelCard(Struct, frozen=True, kw_only=True):
    """What is known of a model before anything is loaded: read from its folder's small files."""

    id: str  # the relative path below the models folder, or the hub's id
    path: str
    source: Literal["folder", "hub"]
    family: str  # config.json's model_type
    context_length: int
    weight_bytes: int  # as stored
    resident_bytes: int  # predicted once loaded on this machine, dequantised where that is what we do
    kv_bytes_per_token: int = 0  # predicted growth of one sequence's KV cache
    prefill_bytes: int = 0  # predicted transients of one chunk of prefill
    created: int = 0  # unix time of config.json
    problem: str = ""  # why it cannot be served, in words for its owner; empty when it can
    is_enabled: bool = True  # False: an operator has switched it off, which is its problem if it has no other
    kind: Literal["chat", "embedding"] = "chat"  # what it makes of a text: more text, or a vector
    aliases: tuple[str, ...] = ()  # other names requests may use
    is_pinned: bool = False  # never evicted, and loaded when the site starts
    idle_ttl_s: float | None = None  # seconds after its last token; -1 for ever, None: the site's setting
    adapter: str = ""  # the operator's choice; empty: the first that fits
    context_cap: int | None = None  # the operator's, from the next load on
    own_context: int = 0  # context_length before that; 0 where nothing was chosen
    sampling: Sampling = Sampling()  # the operator's, for what a request leaves open
    own_sampling: Sampling = Sampling()  # generation_config.json's, for what both leave open

    @property
    def longest_context(self) -> int:
        """What the model, and the site's settings, allow at most, whatever was chosen."""
        return self.own_context or self.context_length

    @property
    def is_servable(self) -> bool:
        return not self.problem

    @property
    def load_bytes(self) -> int:
        """What must be free for a load: the weights, and one chunk of prefill beside them."""
        return self.resident_bytes + self.prefill_bytes


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
    reserved_bytes: int = 0
    memory: Memory = Memory()
    pid: int | None = None
    idle_s: float = 0.0
    load_s: float = 0.0
    is_pinned: bool = False
    kv_reserved_bytes: int = 0  # part of reserved_bytes: for the tokens its streams may still make
    restarts: int = 0  # how often its worker has died since the site started
    retry_in_s: float = 0.0  # a crash loop's back-off: no load before that
    reason: str = ""  # why it failed, or why its last worker ended
    loaded: Loaded | None = None  # what its worker found, once it is loaded


Pressure = Literal["normal", "shedding", "evicting", "refusing"]


class PoolEvent(Struct, frozen=True, kw_only=True):
    """One decision of the pool, in words, with the numbers that decided it (bytes, seconds)."""

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
    findings: tuple[Finding, ...] = ()  # of a load's self-test


class PoolSnapshot(Struct, frozen=True, kw_only=True):
    """The whole pool at one moment, safe to read from any thread."""

    limit_bytes: int
    reserved_bytes: int = 0
    waiting: int = 0
    models: tuple[ResidentModel, ...] = ()
    is_spare_ready: bool = False
    spare_pid: int | None = None
    pressure: Pressure = "normal"
    events: tuple[PoolEvent, ...] = ()  # the last ones, oldest first

    def of(self, model_id: str) -> ResidentModel:
        """The model's place in the pool, `unloaded` when it has none."""
        for model in self.models:
            if model.id == model_id:
                return model
        return ResidentModel(id=model_id, state=ModelState.UNLOADED)


Scope = Literal["chat", "embeddings", "manage"]
SCOPES: tuple[Scope, ...] = ("chat", "embeddings", "manage")


class Allowance(Struct, frozen=True, kw_only=True):
    """How much one API key may do; None where it has no limit."""

    requests_per_minute: int | None = None
    tokens_per_day: int | None = None
    streams: int | None = None  # at the same time


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks: the owner of an API key, a signed-in user, or anybody on an open loopback site."""

    kind: Literal["local", "key", "user"]
    name: str = ""  # a user's, or the visible beginning of a key; empty for the operator's own key
    scopes: tuple[Scope, ...] = SCOPES
    allowance: Allowance = Allowance()

    @property
    def owner(self) -> str:
        """Whose prefix cache this is: nobody may find another's prompts by their speed."""
        return f"{self.kind}:{self.name}"
