"""Admission-control errors: why a request is refused, with the numbers. Pure."""

from collections.abc import Collection, Mapping, Sequence

from inference.core.errors import (
    AllPinned,
    InvalidValue,
    ModelLoadFailed,
    ModelNotFound,
    ModelTooLarge,
    PoolFull,
    QueueFull,
    ServerError,
)
from inference.core.model_card import LoraCard, ModelCard
from inference.core.profile import Profile
from inference.core.units import in_gb
from inference.pool.residency.durations import LONGEST_S
from inference.pool.residency.resident import Resident

_MOST_NAMED = 3
# By the kind of a model: what it makes, and where that is requested (text in many places).
_MADE: Mapping[str, tuple[str, str]] = {
    "chat": ("text", ""),
    "embedding": ("embeddings", "/v1/embeddings"),
    "rerank": ("scores of documents", "/v1/rerank"),
}


def unservable_error(
    card: ModelCard, tokens: int, residents: Collection[Resident], limit: int
) -> ServerError | None:
    """The refusal of a request that waiting cannot help: too large, or the rest is pinned. None if it can."""
    weights = card.load_bytes
    kv = tokens * card.kv_bytes_per_token
    if weights > limit:
        return _too_large(card, weights, limit)
    if weights + kv > limit:
        return _too_long(card, tokens, weights, kv, limit)
    pinned = [
        resident
        for resident in residents
        if resident.card.is_pinned and resident.card.id != card.id and not resident.is_leaving
    ]
    held = sum(resident.base for resident in pinned)
    if weights + kv <= limit - held:
        return None
    return _all_pinned(card, weights + kv, [resident.card.id for resident in pinned], held, limit)


def unknown_error(model_id: str, base: ModelCard | None) -> ModelNotFound:
    """The refusal of an id that no model has; `base` is that of `model` in `model:name`."""
    variants: list[LoraCard | Profile] = []
    if base and base.is_enabled:
        variants += [*base.loras, *base.profiles]
    if base is None or not variants:
        return ModelNotFound(
            f"There is no model {model_id!r} here; GET /v1/models lists them.", param="model"
        )
    missing, there = model_id.rpartition(":")[2], ", ".join(repr(variant.name) for variant in variants)
    return ModelNotFound(
        f"The model {base.id!r} has no adapter or profile {missing!r}; it has: {there}.", param="model"
    )


def check_lora(card: ModelCard, lora: LoraCard) -> None:
    """Raise ModelLoadFailed for an adapter that cannot be used."""
    if lora.problem:
        raise ModelLoadFailed(
            f"The adapter {lora.name!r} of {card.id!r} cannot be used: {lora.problem}", param="model"
        )


def problem_error(card: ModelCard) -> ServerError:
    """The refusal of a model that cannot be served, or that an operator switched off."""
    if not card.is_enabled:  # the same answer as for a model that does not exist
        return ModelNotFound(f"The model {card.id!r} is switched off on this server.", param="model")
    return ModelLoadFailed(f"The model {card.id!r} cannot be served: {card.problem}", param="model")


def kind_error(card: ModelCard, wanted: str) -> InvalidValue:
    """The refusal of a request that asks a model for what another kind of model makes."""
    made, place = _MADE[card.kind]
    needed = _MADE[wanted][0]
    where = f"use it at {place}" if place else f"use a model that returns {needed}"
    return InvalidValue(f"The model {card.id!r} returns {made}, not {needed}; {where}.", param="model")


def _too_large(card: ModelCard, need: int, limit: int) -> ModelTooLarge:
    return ModelTooLarge(
        f"The model {card.id!r} needs {in_gb(need)} of memory; the limit is {in_gb(limit)}: "
        "raise MLX_SERVER_MEMORY_LIMIT or pick a smaller model.",
        param="model",
    )


def _too_long(card: ModelCard, tokens: int, weights: int, kv: int, limit: int) -> ModelTooLarge:
    return ModelTooLarge(
        f"A prompt of up to {tokens} tokens needs {in_gb(kv)} of memory beside the {in_gb(weights)} of "
        f"{card.id!r}; the limit is {in_gb(limit)}: send less text or pick a smaller model.",
    )


def _all_pinned(card: ModelCard, need: int, pinned: Sequence[str], held: int, limit: int) -> AllPinned:
    names = [repr(name) for name in pinned[:_MOST_NAMED]]
    if more := len(pinned) - len(names):
        names.append(f"{more} more")
    them = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    hold, first = (
        ("which is pinned, holds", "it") if len(pinned) == 1 else ("which are pinned, hold", "one of them")
    )
    return AllPinned(
        f"{card.id!r} needs {in_gb(need)} of memory, and {them}, {hold} {in_gb(held)} of {in_gb(limit)}: "
        f"unpin {first} first.",
        param="model",
        retry_after=LONGEST_S,
    )


def outgrown_error(resident: Resident, tokens: int, limit: int) -> ModelTooLarge | None:
    """The refusal of a request that does not fit even alone, by its idle worker's report; else None."""
    kv = tokens * resident.kv_per_token
    weights = resident.base + resident.card.prefill_bytes
    if resident.leases or not resident.is_settled or weights + kv <= limit:
        return None
    return _too_long(resident.card, tokens, weights, kv, limit)


def crash_loop_error(card: ModelCard, reason: str, restarts: int, retry_in_s: float) -> ModelLoadFailed:
    """The refusal while the breaker of a crash loop is open."""
    return ModelLoadFailed(
        f"The model {card.id!r} died {restarts} times, the last time: {reason or 'the reason is unknown'}. "
        f"It may start again in {retry_in_s:.0f} s; load it explicitly to try at once.",
        param="model",
        retry_after=max(1.0, retry_in_s),
    )


def pressure_error(card: ModelCard, retry_after: float) -> PoolFull:
    return PoolFull(
        f"The system is short of memory, so {card.id!r} cannot be loaded now; try again shortly.",
        retry_after=retry_after,
    )


def wait_timeout_error(card: ModelCard, waited_s: float, retry_after: float) -> PoolFull:
    return PoolFull(
        f"No memory became free for {card.id!r} within {waited_s:.0f} s: every loaded model is busy. "
        "Try again shortly.",
        retry_after=retry_after,
    )


def queue_full_error(waiting: int, retry_after: float) -> QueueFull:
    return QueueFull(
        f"Too many requests ({waiting}) are waiting for a model; try again shortly.", retry_after=retry_after
    )
