"""A GGUF model as an mlx-lm model: the place of each tensor, and config.json."""

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
from inference.worker.conversion.metadata import GgufMetadata
from inference.worker.conversion.rope import FACTORS, rope_scaling
from inference.worker.conversion.vocabulary import eos_ids, token_id
from inference.worker.conversion.weights import TensorMove


def tensor_moves(
    tensors: Sequence[StoredTensor], architecture: Architecture, metadata: GgufMetadata
) -> list[TensorMove]:
    """Where each tensor goes; raises ValueError unless the tensors are exactly those of such a model."""
    found = {tensor.name: tensor for tensor in tensors if tensor.name != FACTORS}
    head_dim(metadata)  # raises for a model without heads
    _check_complete(found, metadata)
    layers = range(metadata.number("block_count"))
    inside = {
        f"blk.{i}.{part}": f"model.layers.{i}.{name}"
        for i in layers
        for part, name in architecture.block.items()
    }
    needed = TOP | inside
    known = needed | (HEAD if architecture.has_head else {})
    if unknown := sorted(set(found) - set(known)):
        raise ValueError(f"the tensor {unknown[0]} has no place in a {metadata.architecture} model")
    if missing := sorted(set(needed) - set(found)):
        raise ValueError(f"it does not hold all its layers: {missing[0]} is missing")
    return [_move(tensor, known[name], architecture, metadata) for name, tensor in found.items()]


def config(
    architecture: Architecture,
    metadata: GgufMetadata,
    moved: Sequence[TensorMove],
    factors: NDArray[np.float32] | None,
) -> dict[str, Any]:
    """config.json, without the entry for quantised weights. Raises ValueError for what mlx-lm cannot do."""
    fields = {
        "model_type": architecture.model_type,
        "architectures": [architecture.class_name],
        **shared_config(metadata),
        **architecture.config(metadata),
        **rope_scaling(metadata, factors, head_dim(metadata)),
        "vocab_size": len(metadata.items("tokenizer.ggml.tokens")),
        "tie_word_embeddings": HEAD["output.weight"] not in {move.name for move in moved},
        "bos_token_id": token_id(metadata, "bos"),
        "eos_token_id": eos_ids(metadata),
    }
    return {key: value for key, value in fields.items() if value is not None}


def rope_factors(source: Path, tensors: Sequence[StoredTensor]) -> NDArray[np.float32] | None:
    """The divisors of the rotary frequencies, shape (head_dim / 2,); None if the file has none."""
    for tensor in tensors:
        if tensor.name == FACTORS:
            if tensor.block.name != "F32":
                raise ValueError(f"its {FACTORS} is stored as {tensor.block.name}")
            return np.array(np.memmap(source, "<f4", "r", tensor.begin, shape=tensor.shape))
    return None


def _check_complete(found: dict[str, StoredTensor], metadata: GgufMetadata) -> None:
    layers = {name.split(".")[1] for name in found if name.startswith("blk.")}
    if len(layers) != metadata.number("block_count"):
        raise ValueError("it does not hold all its layers")
    embedding = found.get("token_embd.weight")
    if embedding is None or embedding.shape[0] != len(metadata.items("tokenizer.ggml.tokens")):
        raise ValueError("its vocabulary and its embedding are not of one size")


def _move(tensor: StoredTensor, name: str, architecture: Architecture, metadata: GgufMetadata) -> TensorMove:
    order = None
    if architecture.interleaves and ".q_proj." in name:
        order = _order(tensor, metadata.number("attention.head_count"))
    if architecture.interleaves and ".k_proj." in name:
        order = _order(tensor, kv_heads(metadata))
    offset = architecture.norm_offset if name.endswith("norm.weight") else 0.0
    return TensorMove(stored=tensor, name=name, floats=architecture.floats, order=order, offset=offset)


def _order(tensor: StoredTensor, heads: int) -> NDArray[np.intp]:
    """The row order of q and k in MLX: GGUF interleaves the two halves of each head for its rotary embedding.

    Whole rows move, so quantised weights stay packed.
    """
    rows = tensor.shape[0]
    if heads < 1 or rows % (2 * heads):
        raise ValueError(f"the shape of its {tensor.name} does not fit its attention heads")
    return np.arange(rows).reshape(heads, rows // heads // 2, 2).swapaxes(1, 2).reshape(-1)
