"""A model as the catalog describes it: its facts, the operator's choices, the findings of its self-test."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, structs

from inference.core.profile import Profile
from inference.core.requests import Lora, Sampling
from inference.core.upstream import RemoteModel

ModelKind = Literal["chat", "embedding", "rerank"]
Light = Literal["green", "amber", "red"]
_NO_LORAS = "several ranks compute its model, and they take no adapters"
KV_BITS = (0, 4, 8)  # that a number of the KV caches may have; 0: they stay whole


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was found of a model when it was loaded, as a text for its owner."""

    # Green: nothing is wrong; amber: it works and is not right; red: what it is about is refused.
    light: Light
    about: Literal[
        "chat",
        "roles",
        "stops",
        "tools",
        "batch",
        "tokenizer",
        "prefixes",
        "kv_cache",
        "speculation",
        "pictures",
        "ranks",
    ]
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
    kv_bits: int | None = None  # of quantised KV caches, 0 for whole ones; None: the site's setting
    sampling: Sampling = Sampling()  # for what a request leaves open, before the model's own
    speculation: str = ""  # "lookup" or "off"; empty: the site's setting
    draft_model: str = ""  # the id of a smaller model of the same vocabulary; empty: none
    ranks: int = 1  # processes that compute it together
    profiles: tuple[Profile, ...] = ()


class LoraCard(Struct, frozen=True, kw_only=True):
    """A LoRA adapter of a model, read from its small files; requests name it `model:adapter`."""

    name: str
    path: str
    version: str = ""  # another one after a change of its files
    weight_bytes: int = 0  # as stored
    resident_bytes: int = 0  # predicted once loaded
    created: int = 0  # unix time of its weights
    problem: str = ""  # why it cannot be used, as a text for its owner; empty when it can

    @property
    def lora(self) -> Lora:
        return Lora(name=self.name, path=self.path, version=self.version)


class KVEstimate(Struct, frozen=True, kw_only=True):
    """What a model is predicted to need with KV caches of so many bits; 0 bits: with whole ones."""

    bits: int
    bytes_per_token: int
    prefill_bytes: int


class ModelCard(Struct, frozen=True, kw_only=True):
    """What is known of a model before anything is loaded: read from its folder's small files."""

    id: str  # the relative path below the models folder, or the hub's id
    path: str  # empty where other servers answer for it
    source: Literal["folder", "hub", "upstream"]
    family: str  # config.json's model_type
    context_length: int
    weight_bytes: int  # as stored
    parameter_count: int = 0
    quantization: str = ""  # such as "4bit"; the numbers' type where the weights are not quantised
    resident_bytes: int  # predicted once loaded on this machine, dequantised where that is what we do
    kv_bytes_per_token: int = 0  # predicted growth of one sequence's KV cache
    prefill_bytes: int = 0  # predicted transients of one chunk of prefill
    undivided_bytes: int = 0  # part of resident_bytes that each of several ranks holds
    has_undivided_kv: bool = False  # each of several ranks holds the whole KV caches
    kv_bits: int = 0  # of its KV caches, from the next load on; 0: they stay whole
    kv_estimates: tuple[KVEstimate, ...] = ()  # for each number of bits; none: it has no KV caches
    created: int = 0  # unix time of config.json
    problem: str = ""  # why it cannot be served, as a text for its owner; empty when it can
    is_enabled: bool = True  # False: an operator has switched it off, which is its problem if it has no other
    kind: ModelKind = "chat"  # what it makes of a text: more text, a vector, or a score
    sees: bool = False  # it takes pictures, where what that needs is installed
    picture_tokens: int = 0  # at most, of one picture
    picture_token_pixels: int = 0  # the edge of a token's square; 0: a picture of any size has as many tokens
    aliases: tuple[str, ...] = ()  # other names requests may use
    is_pinned: bool = False  # never evicted, and loaded when the site starts
    idle_ttl_s: float | None = None  # seconds after its last token; -1 for ever, None: the site's setting
    adapter: str = ""  # the operator's choice; empty: the first that fits
    context_cap: int | None = None  # the operator's, from the next load on
    speculation: str = ""  # the operator's choice, from the next load on; empty: the site's setting
    draft_model: str = ""  # the operator's choice, from the next load on; its bytes are among those above
    draft_path: str = ""  # its folder; empty where it cannot be used
    ranks: int = 1  # processes that compute it together, from the next load on
    own_context: int = 0  # context_length before that, and before memory limited it; 0 where nothing did
    sampling: Sampling = Sampling()  # the operator's, for what a request leaves open
    own_sampling: Sampling = Sampling()  # generation_config.json's, for what both leave open
    loras: tuple[LoraCard, ...] = ()  # its adapters
    profiles: tuple[Profile, ...] = ()  # the operator's; an adapter of the same name wins
    base: str = ""  # in lists of what can be requested: the model whose adapter or profile this is
    profile: str = ""  # the name of that profile; empty for an adapter
    remote: RemoteModel | None = None  # of a model that other servers answer for

    @property
    def is_remote(self) -> bool:
        """Whether other servers answer for it, so that it takes no memory here."""
        return self.remote is not None

    @property
    def most_streams(self) -> int:
        """How many requests other servers are given at once; 0 for the site's own limit."""
        return self.remote.most_streams if self.remote else 0

    @property
    def longest_context(self) -> int:
        """What the model, and the site's settings, allow at most, whatever was chosen."""
        return self.own_context or self.context_length

    @property
    def allowed_context(self) -> int:
        """What was chosen, or else the longest context, whatever fits memory."""
        return min(self.longest_context, self.context_cap or self.longest_context)

    def with_context(self, tokens: int) -> "ModelCard":
        """This card with a context of so many tokens, because no more fit memory."""
        if tokens == self.context_length:
            return self
        return structs.replace(self, context_length=tokens, own_context=self.longest_context)

    @property
    def is_servable(self) -> bool:
        return not self.problem

    @property
    def load_bytes(self) -> int:
        """What must be free for a load: the weights, and one chunk of prefill beside them."""
        return self.resident_bytes + self.prefill_bytes

    @property
    def resident_id(self) -> str:
        """The model that is in memory for it."""
        return self.base or self.id

    @property
    def variants(self) -> "tuple[ModelCard, ...]":
        """A card for each adapter and profile that can be used, under the id that requests name it by."""
        loras = [
            structs.replace(
                self._variant(lora.name),
                created=lora.created,
                resident_bytes=self.resident_bytes + lora.resident_bytes,
                weight_bytes=self.weight_bytes + lora.weight_bytes,
            )
            for lora in self.loras
            if not lora.problem
        ]
        taken = {lora.name for lora in self.loras}
        profiles = [
            structs.replace(
                self._variant(profile.name),
                profile=profile.name,
                sampling=profile.sampling.over(self.sampling),
            )
            for profile in self.profiles
            if profile.name not in taken and self.kind == "chat"
        ]
        return (*loras, *profiles)

    def _variant(self, name: str) -> "ModelCard":
        aliases = tuple(f"{alias}:{name}" for alias in self.aliases if not is_pattern(alias))
        return structs.replace(
            self, id=f"{self.id}:{name}", base=self.id, aliases=aliases, loras=(), profiles=()
        )

    def variant_of(self, model_id: str) -> LoraCard | Profile | None:
        """The adapter or profile that this id of a request names; None for the model itself.

        Clients of Ollama write the tag `latest` behind a name that has no other tag.
        """
        names = {self.id, *self.aliases}
        if model_id in names or (untagged := model_id.removesuffix(":latest")) in names:
            return None
        base, _, name = untagged.rpartition(":")
        if base not in names:
            return None
        variants: tuple[LoraCard | Profile, ...] = (*self.loras, *self.profiles)
        return next((variant for variant in variants if variant.name == name), None)

    def requested_as(self, model_id: str) -> "ModelCard | None":
        """The card of what this id names: the model, an adapter or a profile; None for a broken adapter."""
        variant = self.variant_of(model_id)
        if variant is None:
            return self
        return next((one for one in self.variants if one.id == f"{self.id}:{variant.name}"), None)

    def with_lora(self, lora: LoraCard | None) -> "ModelCard":
        """This card with the bytes of an adapter."""
        more = lora.resident_bytes if lora else 0
        return structs.replace(self, resident_bytes=self.resident_bytes + more) if more else self

    def with_kv_bits(self, bits: int) -> "ModelCard":
        """This card with KV caches of so many bits, and what it needs with them."""
        for estimate in self.kv_estimates:
            if estimate.bits == bits:
                return structs.replace(
                    self,
                    kv_bits=bits,
                    kv_bytes_per_token=estimate.bytes_per_token,
                    prefill_bytes=estimate.prefill_bytes,
                )
        return self

    def with_draft_model(self, name: str, draft: "ModelCard | None") -> "ModelCard":
        """This card with a draft model of this name, and with its bytes; None where it cannot be used."""
        if draft is None or draft.problem or draft.kind != "chat" or draft.id == self.id:
            return structs.replace(self, draft_model=name)
        draft = draft.with_kv_bits(0)
        return structs.replace(
            self,
            draft_model=name,
            draft_path=draft.path,
            resident_bytes=self.resident_bytes + draft.resident_bytes,
            kv_bytes_per_token=self.kv_bytes_per_token + draft.kv_bytes_per_token,
            prefill_bytes=max(self.prefill_bytes, draft.prefill_bytes),
        )

    def with_ranks(self, ranks: int, here: int) -> "ModelCard":
        """This card with so many ranks, and with the bytes of those that run on this machine."""
        if ranks == 1:
            return self
        part = -(-(self.resident_bytes - self.undivided_bytes) // ranks) + self.undivided_bytes
        kv_bytes = self.kv_bytes_per_token
        return structs.replace(
            self,
            ranks=ranks,
            resident_bytes=here * part,
            kv_bytes_per_token=here * (kv_bytes if self.has_undivided_kv else -(-kv_bytes // ranks)),
            prefill_bytes=here * self.prefill_bytes,
            sees=False,
            loras=tuple(structs.replace(one, problem=one.problem or _NO_LORAS) for one in self.loras),
        )

    def with_choices_of(self, other: "ModelCard") -> "ModelCard":
        """This card with those of the operator's choices in `other` that need no reload."""
        return structs.replace(
            self,
            is_pinned=other.is_pinned,
            idle_ttl_s=other.idle_ttl_s,
            aliases=other.aliases,
            sampling=other.sampling,
            profiles=other.profiles,
        )


def is_pattern(alias: str) -> bool:
    """Whether the alias stands for all names that begin with it, such as `claude-*`."""
    return alias.endswith("*")


def requestable(cards: Iterable[ModelCard]) -> list[ModelCard]:
    """What requests can name: each model that can be served, followed by its adapters and profiles."""
    return [one for card in cards if card.is_servable for one in (card, *card.variants)]
