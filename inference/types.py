"""The nouns that cross threads and processes: frozen, and importing nothing of ours.

They are msgspec structs rather than dataclasses because the same objects travel as frames between
the site and its workers (protocol.py) and are encoded into server-sent events.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, structs

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


class Message(Struct, frozen=True, kw_only=True):
    """One turn of a chat, already normalised: text only, `developer` folded into `system`."""

    role: Role
    content: str


class Sampling(Struct, frozen=True, kw_only=True):
    """How the next token is drawn; temperature 0 is greedy, a seed makes the draw repeatable.

    What is None is the model's own to say (generation_config.json), and switched off where it says nothing.
    Presence and frequency penalties count the answer's tokens (OpenAI), the repetition penalty those of
    prompt and answer (https://arxiv.org/abs/1909.05858).
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()  # token id, what is added to its logit

    def over(self, own: "Sampling") -> "Sampling":
        """These wishes, completed with the model's own."""
        return structs.replace(
            self,
            temperature=own.temperature if self.temperature is None else self.temperature,
            top_p=own.top_p if self.top_p is None else self.top_p,
            top_k=own.top_k if self.top_k is None else self.top_k,
            min_p=own.min_p if self.min_p is None else self.min_p,
            repetition_penalty=own.repetition_penalty
            if self.repetition_penalty is None
            else self.repetition_penalty,
        )


class ChatRequest(Struct, frozen=True, kw_only=True, tag="chat"):
    """Messages to be rendered with the model's chat template and answered."""

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    max_tokens: int | None = None  # None: as many as the server's setting and the context allow
    stop: tuple[str, ...] = ()
    logprobs: int | None = None  # how many alternatives with each token; None: no log probabilities


class CompletionRequest(Struct, frozen=True, kw_only=True, tag="completion"):
    """A raw prompt to be continued, without a chat template."""

    model: str
    prompt: str
    echo: bool = False  # begin the text with the prompt itself
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None  # how many alternatives with each token; None: no log probabilities


Request = ChatRequest | CompletionRequest


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one request; cached tokens are part of the prompt tokens."""

    prompt_tokens: int
    completion_tokens: int = 0
    cached_tokens: int = 0


class Timings(Struct, frozen=True, kw_only=True):
    """Seconds the worker spent on each phase of one request."""

    queue_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0


class Progress(Struct, frozen=True, kw_only=True, tag="progress"):
    """What the request is waiting for; `done` of `total` where the phase can tell (else 0 of 0)."""

    phase: Literal["queued", "loading", "prefill"]
    done: int = 0
    total: int = 0


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """The loaded model can serve this request: from here on nothing is refused."""

    prompt_tokens: int
    max_tokens: int = 0  # how long the answer may become


class TokenLogprob(Struct, frozen=True, kw_only=True):
    """A token with its log probability, and the likeliest ones in its place, likeliest first."""

    text: str
    bytes: tuple[int, ...]  # what the token stands for: not always whole characters
    logprob: float
    top: tuple["TokenLogprob", ...] = ()


class TextDelta(Struct, frozen=True, kw_only=True, tag="text"):
    """The next piece of visible answer text."""

    text: str
    tokens: int = 1  # how many tokens it took since the last delta
    logprobs: tuple[TokenLogprob, ...] = ()  # of those tokens, where they were asked for


class ReasoningDelta(Struct, frozen=True, kw_only=True, tag="reasoning"):
    """The next piece of the model's reasoning, kept apart from the answer."""

    text: str
    tokens: int = 1
    logprobs: tuple[TokenLogprob, ...] = ()


class Finished(Struct, frozen=True, kw_only=True, tag="finished"):
    """The one good ending of a stream; the other ending is a raised ServerError."""

    reason: FinishReason
    usage: Usage
    timings: Timings = Timings()


Event = Progress | Accepted | TextDelta | ReasoningDelta | Finished


class Memory(Struct, frozen=True, kw_only=True):
    """A worker's memory in bytes: MLX's own counters, the process's resident size, and what is in them."""

    active: int = 0
    peak: int = 0
    cache: int = 0  # freed buffers that MLX keeps for reuse
    resident: int = 0
    kv: int = 0  # part of active: the KV caches of running sequences
    prefix_cache: int = 0  # part of active: KV caches kept for later prompts, which can be shed


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


class Choice(Struct, frozen=True, kw_only=True):
    """What the operator wants of one model, whatever its folder says."""

    is_pinned: bool = False
    idle_ttl_s: float | None = None
    aliases: tuple[str, ...] = ()


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
    aliases: tuple[str, ...] = ()  # other names requests may use
    is_pinned: bool = False  # never evicted, and loaded when the site starts
    idle_ttl_s: float | None = None  # seconds after its last token; -1 for ever, None: the site's setting

    @property
    def is_servable(self) -> bool:
        return not self.problem


class ModelState(StrEnum):
    """Where a model is in its life; a model that is not in the pool is unloaded."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    DRAINING = "draining"
    FAILED = "failed"


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


class PoolSnapshot(Struct, frozen=True, kw_only=True):
    """The whole pool at one moment, safe to read from any thread."""

    limit_bytes: int
    reserved_bytes: int = 0
    waiting: int = 0
    models: tuple[ResidentModel, ...] = ()
    is_spare_ready: bool = False
    pressure: Pressure = "normal"
    events: tuple[PoolEvent, ...] = ()  # the last ones, oldest first

    def of(self, model_id: str) -> ResidentModel:
        """The model's place in the pool, `unloaded` when it has none."""
        for model in self.models:
            if model.id == model_id:
                return model
        return ResidentModel(id=model_id, state=ModelState.UNLOADED)


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks: the owner of an API key, a signed-in user, or anybody on an open loopback site."""

    kind: Literal["local", "key", "user"]
    name: str = ""

    @property
    def owner(self) -> str:
        """Whose prefix cache this is: nobody may find another's prompts by their speed."""
        return f"{self.kind}:{self.name}"
