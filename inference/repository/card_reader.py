"""The card of one model folder, made from its small files alone: no weights are read."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import msgspec
from msgspec import structs

from inference.core.model_card import KV_BITS, KVEstimate, ModelCard
from inference.core.requests import Sampling
from inference.repository import lora_folders, memory_estimate, tower_estimate
from inference.repository.files import context_length, json_files, pooling, remote_code, vision
from inference.repository.files.json_files import UnreadableJson
from inference.repository.files.safetensors import BrokenWeights, Tensor, read_tensors
from inference.repository.files.vision import MOST_TOKENS_ON_A_CPU, Vision
from inference.repository.model_folders import Place, lacking, sayable

_NO_TEXT = "its model generates no text, and adapters of such models are not supported"
_WORKSPACE = 1.1  # activations and buffers beside the weights


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a prediction depends on beside the model."""

    dequantises: bool
    context_limit: int | None = None
    prefill_step: int = 512
    kv_bits: int = 0  # of KV caches, where nothing was chosen for a model
    picture_tokens: int = 4096  # at most, of one picture

    @property
    def longest_picture(self) -> int:
        """Tokens that a worker makes of one picture at most."""
        return min(self.picture_tokens, MOST_TOKENS_ON_A_CPU) if self.dequantises else self.picture_tokens


class Shape(TypedDict):
    """What the memory of a forward pass depends on beside the model."""

    dequantises: bool
    step: int
    context_length: int


def make_card(
    name: str,
    folder: Path,
    source: Literal["folder", "hub"],
    machine: Machine,
    tensors_of: Callable[[Path], list[Tensor]] = read_tensors,
) -> ModelCard:
    """Read one folder's small files; whatever is wrong becomes the card's `problem`.

    `tensors_of` describes the weights: of a model that is not downloaded yet they are elsewhere.
    """
    config, problem = _read_config(folder)
    problem = problem or _lacking(folder)
    tensors: list[Tensor] = []
    try:
        tensors = tensors_of(folder)
    except BrokenWeights as error:
        problem = problem or str(error)
    except OSError:
        problem = problem or "its files cannot be read"
    pools, odd = _pooling(folder, config, name)
    problem = problem or odd
    limit = min((limit for limit in (machine.context_limit, pools and pools.longest) if limit), default=None)
    own = _own_context(folder, config)
    longest = min(own, limit or own)
    shape = Shape(dequantises=machine.dequantises, step=machine.prefill_step, context_length=longest)
    card = structs.replace(
        predicted_card(name, config, tensors, machine, longest),
        path=str(folder),
        source=source,
        created=_changed_at(folder / "config.json"),
        kind="chat" if not pools else "rerank" if pools.reranks else "embedding",
        problem=sayable(problem),
        own_sampling=_own_sampling(folder),
        loras=lora_folders.read(
            folder,
            config,
            tensors,
            dequantises=machine.dequantises,
            refusal=_NO_TEXT if pools else "",
        ),
    )
    if not pools:
        return card
    transients = memory_estimate.embedding_bytes(config, **shape)
    return structs.replace(card, kv_estimates=(), kv_bits=0, kv_bytes_per_token=0, prefill_bytes=transients)


def predicted_card(
    name: str, config: Mapping[str, Any], tensors: Sequence[Tensor], machine: Machine, context_length: int
) -> ModelCard:
    """The card of a chat model as far as its config.json and its tensors say."""
    shape = Shape(dequantises=machine.dequantises, step=machine.prefill_step, context_length=context_length)
    seen = vision.read(config, (tensor.name for tensor in tensors))
    return ModelCard(
        id=name,
        path="",
        source="hub",
        family=sayable(str(config.get("model_type") or "unknown")[:80]),
        context_length=context_length,
        weight_bytes=sum(tensor.bytes for tensor in tensors),
        parameter_count=memory_estimate.parameter_count(tensors, config),
        quantization=memory_estimate.quantization(tensors, config),
        resident_bytes=int(
            memory_estimate.weight_bytes(tensors, config, dequantises=machine.dequantises) * _WORKSPACE
        ),
        undivided_bytes=int(
            memory_estimate.undivided_bytes(tensors, config, dequantises=machine.dequantises) * _WORKSPACE
        ),
        has_undivided_kv=memory_estimate.has_undivided_kv(config),
        kv_estimates=_kv_estimates(config, shape, _tower_bytes(config, seen, machine)),
        sees=seen is not None,
        picture_tokens=min(seen.most_tokens, machine.longest_picture) if seen else 0,
        picture_token_pixels=seen.token_pixels if seen else 0,
    ).with_kv_bits(machine.kv_bits)


def _tower_bytes(config: Mapping[str, Any], seen: Vision | None, machine: Machine) -> int:
    if seen is None:
        return 0
    return tower_estimate.tower_bytes(
        config, seen, tokens=machine.longest_picture, dequantises=machine.dequantises
    )


def _kv_estimates(config: Mapping[str, Any], shape: Shape, tower_bytes: int) -> tuple[KVEstimate, ...]:
    """What the model needs with KV caches of each number of bits; a picture takes a chunk's turn."""
    return tuple(
        KVEstimate(
            bits=bits,
            bytes_per_token=memory_estimate.kv_bytes_per_token(
                config, dequantises=shape["dequantises"], kv_bits=bits
            ),
            prefill_bytes=max(memory_estimate.prefill_bytes(config, **shape, kv_bits=bits), tower_bytes),
        )
        for bits in KV_BITS
    )


def unfit_card(place: Place) -> ModelCard:
    """The card of what was taken for a model and is none."""
    return ModelCard(
        id=place.name,
        path=str(place.folder),
        source=place.source,
        family="unknown",
        context_length=context_length.read({}),
        weight_bytes=0,
        resident_bytes=0,
        problem=place.problem,
    )


def _pooling(folder: Path, config: Mapping[str, Any], name: str) -> tuple[pooling.Pooling | None, str]:
    """How an embedding model pools, and why it cannot be served."""
    try:
        return pooling.read(folder, config, name), ""
    except pooling.OddPooling as error:
        return None, str(error)


def _changed_at(path: Path) -> int:
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return 0


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """config.json, and why the folder cannot be served if its small files say so already."""
    config: dict[str, Any] = {}
    for name in ("config.json", "tokenizer_config.json"):
        try:
            found = _read_file(folder / name)
        except UnreadableJson:
            return config, f"its {name} cannot be read"
        if name == "config.json":
            config = found
        if not config:
            return config, "its config.json cannot be read"
        if key := remote_code.required_key(found):
            return config, f"it requires its own code ({key} in {name}), which this server never runs"
    return config, ""


def _read_file(path: Path) -> dict[str, Any]:
    if path.name == "tokenizer_config.json":  # it may list tens of thousands of tokens, of no use here
        return json_files.read_keys(path, *remote_code.KEYS)
    return json_files.read_object(path)


def _own_context(folder: Path, config: Mapping[str, Any]) -> int:
    try:
        settings = json_files.read_keys(folder / "tokenizer_config.json", "model_max_length")
    except UnreadableJson:
        settings = {}
    return context_length.read(config, settings)


def _own_sampling(folder: Path) -> Sampling:
    try:
        return Sampling.recommended(json_files.read_object(folder / "generation_config.json"))
    except UnreadableJson:
        return Sampling()


def _lacking(folder: Path) -> str:
    try:
        return lacking(set(os.listdir(folder)))
    except OSError:
        return "its files cannot be read"
