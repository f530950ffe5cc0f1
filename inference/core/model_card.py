"""A model as the catalog describes it: its facts, the operator's choices, the findings of its self-test."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, structs

from inference.core.requests import Sampling

ModelKind = Literal["chat", "embedding", "rerank"]
Light = Literal["green", "amber", "red"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that the self-test of a loaded model's adapter found wrong, as a text for its owner."""

    light: Light  # amber: it works and is not right; red: what it is about is refused
    about: Literal["chat", "roles", "stops", "tools", "batch", "tokenizer", "prefixes"]
    text: str


def worst(findings: Iterable[Finding]) -> Light:
    lights = {finding.light for finding in findings}
    return "red" if "red" in lights else "amber" if "amber" in lights else "green"


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
    parameter_count: int = 0
    quantization: str = ""  # such as "4bit"; the numbers' type where the weights are not quantised
    resident_bytes: int  # predicted once loaded on this machine, dequantised where that is what we do
    kv_bytes_per_token: int = 0  # predicted growth of one sequence's KV cache
    prefill_bytes: int = 0  # predicted transients of one chunk of prefill
    created: int = 0  # unix time of config.json
    problem: str = ""  # why it cannot be served, as a text for its owner; empty when it can
    is_enabled: bool = True  # False: an operator has switched it off, which is its problem if it has no other
    kind: ModelKind = "chat"  # what it makes of a text: more text, a vector, or a score
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

    def with_choices_of(self, other: "ModelCard") -> "ModelCard":
        """This card with those of the operator's choices in `other` that need no reload."""
        return structs.replace(
            self,
            is_pinned=other.is_pinned,
            idle_ttl_s=other.idle_ttl_s,
            aliases=other.aliases,
            sampling=other.sampling,
        )
