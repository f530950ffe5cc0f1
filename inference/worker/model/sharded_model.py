"""The part of a model that one rank computes: tensor parallelism, by mlx-lm's own `shard`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mlx.nn as nn

from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.sharding.group import join

_HEADS = ("num_attention_heads", "num_key_value_heads")


def own_part(model: nn.Module, config: Mapping[str, Any], options: Load) -> nn.Module:
    """The model with the weights of this rank alone, or as it is if one rank computes it.

    Waits for the other ranks to be there. Weights that are not read yet stay so. Raises RefusedModel for a
    kind of model that mlx-lm cannot divide, and for one whose heads cannot be divided.
    """
    if options.ranks == 1:
        return model
    kind = config.get("model_type", "this")
    if not hasattr(model, "shard"):
        raise RefusedModel(f"mlx-lm cannot divide models of the kind {kind} among ranks; give it one rank")
    _refuse_heads(config, options.ranks)
    try:
        group = join(options.ranks_backend)
    except RuntimeError as error:
        raise RefusedModel(f"its ranks cannot connect: {error}") from error
    try:
        model.shard(group)
    except ValueError as error:  # a layer's size is no multiple of the ranks
        raise RefusedModel(f"it cannot be divided among {options.ranks} ranks: {error}") from error
    return model


def without_vision(loaded: LoadedModel, ranks: int) -> LoadedModel:
    """The model of several ranks, which sees nothing, with a finding of what else is off for it."""
    text = (
        f"{ranks} ranks compute it together: drafts, pictures, adapters and prefixes on disk are off for it."
    )
    finding = Finding(light="green", about="ranks", text=text)
    return replace(
        loaded,
        findings=(*loaded.findings, finding),
        blindness="This model has several ranks and reads text only; describe the picture in text.",
    )


def _refuse_heads(config: Mapping[str, Any], ranks: int) -> None:
    text = config.get("text_config") or config
    # With latent attention, all heads share one small cache that every rank holds.
    names = _HEADS[:1] if text.get("kv_lora_rank") else _HEADS
    for name in names:
        heads = text.get(name)
        if isinstance(heads, int) and heads % ranks:
            what = name.removeprefix("num_").replace("_", " ")
            raise RefusedModel(f"its {heads} {what} cannot be divided among {ranks} ranks")
