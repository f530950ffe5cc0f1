"""A GGUF model as mlx-lm knows it: which weight goes where, and what config.json says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.repository.files.gguf import StoredTensor
from inference.worker.conversion.architectures import (
    HEAD,
    TOP,
    Architecture,
    head_dim,
    kv_heads,
    shared_config,
)
from inference.worker.conversion.facts import Facts
from inference.worker.conversion.rope import FACTORS, rope_scaling
from inference.worker.conversion.vocabulary import ends, token_id
from inference.worker.conversion.weights import Move


def moves(tensors: Sequence[StoredTensor], architecture: Architecture, facts: Facts) -> list[Move]:
    """What becomes of each tensor; ValueError unless they are exactly those of such a model."""
    found = {tensor.name: tensor for tensor in tensors if tensor.name != FACTORS}
    head_dim(facts)  # refuses what has no heads
    _refuse_incomplete(found, facts)
    layers = range(facts.number("block_count"))
    inside = {
        f"blk.{i}.{part}": f"model.layers.{i}.{name}"
        for i in layers
        for part, name in architecture.block.items()
    }
    needed = TOP | inside
    known = needed | (HEAD if architecture.has_head else {})
    if unknown := sorted(set(found) - set(known)):
        raise ValueError(f"the tensor {unknown[0]} has no place in a {facts.architecture} model")
    if missing := sorted(set(needed) - set(found)):
        raise ValueError(f"it does not hold all its layers: {missing[0]} is missing")
    return [_move(tensor, known[name], architecture, facts) for name, tensor in found.items()]


def config(
    architecture: Architecture, facts: Facts, moved: Sequence[Move], factors: NDArray[np.float32] | None
) -> dict[str, Any]:
    """config.json, but for how the weights are packed."""
    said = {
        "model_type": architecture.model_type,
        "architectures": [architecture.class_name],
        **shared_config(facts),
        **architecture.config(facts),
        **rope_scaling(facts, factors, head_dim(facts)),
        "vocab_size": len(facts.items("tokenizer.ggml.tokens")),
        "tie_word_embeddings": HEAD["output.weight"] not in {move.name for move in moved},
        "bos_token_id": token_id(facts, "bos"),
        "eos_token_id": ends(facts),
    }
    return {key: value for key, value in said.items() if value is not None}


def rope_factors(source: Path, tensors: Sequence[StoredTensor]) -> NDArray[np.float32] | None:
    """What the file divides each rotary frequency by, when it does."""
    for tensor in tensors:
        if tensor.name == FACTORS:
            if tensor.block.name != "F32":
                raise ValueError(f"its {FACTORS} is stored as {tensor.block.name}")
            return np.array(np.memmap(source, "<f4", "r", tensor.begin, shape=tensor.shape))
    return None


def _refuse_incomplete(found: dict[str, StoredTensor], facts: Facts) -> None:
    layers = {name.split(".")[1] for name in found if name.startswith("blk.")}
    if len(layers) != facts.number("block_count"):
        raise ValueError("it does not hold all its layers")
    embedding = found.get("token_embd.weight")
    if embedding is None or embedding.shape[0] != len(facts.items("tokenizer.ggml.tokens")):
        raise ValueError("its vocabulary and its embedding are not of one size")


def _move(tensor: StoredTensor, name: str, architecture: Architecture, facts: Facts) -> Move:
    order = None
    if architecture.interleaves and ".q_proj." in name:
        order = _order(tensor, facts.number("attention.head_count"))
    if architecture.interleaves and ".k_proj." in name:
        order = _order(tensor, kv_heads(facts))
    less = architecture.norm_offset if name.endswith("norm.weight") else 0.0
    return Move(stored=tensor, name=name, floats=architecture.floats, order=order, less=less)


def _order(tensor: StoredTensor, heads: int) -> NDArray[np.intp]:
    """Undo GGUF's row order of q and k: it interleaves the halves that rotary embedding pairs up.

    Rows move whole, so packed weights need no unpacking for it.
    """
    rows = tensor.shape[0]
    if heads < 1 or rows % (2 * heads):
        raise ValueError(f"the shape of its {tensor.name} does not fit its attention heads")
    return np.arange(rows).reshape(heads, rows // heads // 2, 2).swapaxes(1, 2).reshape(-1)
