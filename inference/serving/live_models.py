"""The servable models with their live state, as browsers are shown them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from inference.core.model_card import ModelCard, requestable
from inference.core.pool_state import ModelState, PoolSnapshot
from inference.core.self_test_summary import NOT_TESTED, SelfTestSummary, summary
from inference.serving import picture_check, runtime
from inference.serving.active_requests import STREAMS


class LiveModel(Struct, frozen=True, kw_only=True):
    """One line of a list of models; sizes in bytes, context in tokens."""

    id: str
    family: str
    context_length: int
    resident_bytes: int
    state: ModelState
    loaded_percent: int = 0
    load_phase: str = ""  # what a load is doing
    held_bytes: int = 0
    streams: int = 0
    reason: str = ""
    kind: str = "chat"
    self_test: SelfTestSummary = NOT_TESTED  # of the model in memory
    aliases: tuple[str, ...] = ()
    sees: bool = False  # it takes pictures
    picture_tokens: int = 0  # at most, of one picture
    picture_token_pixels: int = 0  # the edge of a token's square; 0: a picture of any size has as many tokens
    base: str = ""  # the model whose LoRA adapter or profile it is: state and memory are that model's
    profile: str = ""  # the name of that profile; empty for an adapter
    is_remote: bool = False  # another server answers for it: it is ready whenever it is listed


class UnavailableModel(Struct, frozen=True, kw_only=True):
    """A model or an adapter that is here and cannot be requested, with the reason as a text."""

    id: str
    reason: str


def models() -> tuple[LiveModel, ...]:
    """Every servable model as of now; reads the disk, so call it from a thread."""
    pool = runtime.pool()
    return joined(pool.fitted(*runtime.catalog().scan()), pool.snapshot())


def unavailable_models() -> tuple[UnavailableModel, ...]:
    """What cannot be requested as of now; reads the disk, so call it from a thread."""
    return unavailable(runtime.catalog().scan())


def unavailable(cards: Sequence[ModelCard]) -> tuple[UnavailableModel, ...]:
    """The models that are switched off or cannot be served, and the adapters that cannot be used."""
    return tuple(
        UnavailableModel(id=name, reason=reason) for card in cards for name, reason in _problems(card)
    )


def _problems(card: ModelCard) -> Iterator[tuple[str, str]]:
    reason = (
        f"It cannot be served: {card.problem}" if card.is_enabled else "It is switched off on this server."
    )
    if not card.is_servable:
        yield card.id, reason
    for lora in card.loras:
        if lora.problem:
            yield f"{card.id}:{lora.name}", f"The adapter cannot be used: {lora.problem}"
        elif not card.is_servable:
            yield f"{card.id}:{lora.name}", f"It is an adapter of {card.id}. {reason}"


def joined(cards: Sequence[ModelCard], snapshot: PoolSnapshot) -> tuple[LiveModel, ...]:
    """What the catalog knows of each servable model, adapter and profile, with where it is in the pool.

    A model that generates a title is ready, because requests interrupt it.
    """
    titles = Counter(stream.model for stream in STREAMS.snapshot() if stream.kind == "title")
    return tuple(_live(card, snapshot, titles) for card in requestable(cards))


def _live(card: ModelCard, snapshot: PoolSnapshot, titles: Mapping[str, int]) -> LiveModel:
    resident = snapshot.of(card.resident_id)
    written = sum(count for name, count in titles.items() if _is_answered_by(name, card.resident_id))
    streams = max(0, resident.leases - written)
    is_free = written and not streams and resident.state == ModelState.BUSY
    is_ready = is_free or (card.is_remote and not resident.state.is_in_memory)
    return LiveModel(
        id=card.id,
        family=card.family,
        context_length=card.context_length,
        resident_bytes=card.resident_bytes,
        state=ModelState.READY if is_ready else resident.state,
        loaded_percent=resident.loaded_percent,
        load_phase=resident.load_phase,
        held_bytes=resident.reserved_bytes,
        streams=streams,
        reason=resident.reason,
        kind=card.kind,
        sees=picture_check.takes_pictures(card, resident),
        picture_tokens=card.picture_tokens,
        picture_token_pixels=card.picture_token_pixels,
        base=card.base,
        profile=card.profile,
        is_remote=card.is_remote,
        aliases=card.aliases,
        self_test=summary(resident.loaded.findings if resident.loaded else None),
    )


def _is_answered_by(name: str, resident: str) -> bool:
    """Whether the model of this name is the resident one, or a LoRA adapter or profile of it."""
    return name == resident or name.startswith(f"{resident}:")
