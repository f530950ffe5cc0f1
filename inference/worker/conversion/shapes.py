"""The shape of each weight, computed from config.json."""

from collections.abc import Mapping
from typing import Any

from inference.repository.files.gguf import StoredTensor


def check_shapes(tensors: Mapping[str, StoredTensor], config: Mapping[str, Any]) -> None:
    """Raise ValueError for the first tensor, by its name in MLX, whose shape does not fit the config."""
    shapes = _shapes(config)
    for name, tensor in tensors.items():
        *_, layer, part = name.split(".")
        wanted = shapes[layer][:1] if part == "bias" else shapes[layer]
        if tensor.shape != wanted:
            raise ValueError(f"the shape of its {tensor.name} does not fit the rest of it")


def _shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    hidden, between, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    vocabulary = (config["vocab_size"], hidden)
    norms = ("norm", "input_layernorm", "post_attention_layernorm")
    more_norms = ("pre_feedforward_layernorm", "post_feedforward_layernorm")
    return {
        **{"embed_tokens": vocabulary, "lm_head": vocabulary},
        **{"q_proj": (queries, hidden), "k_proj": (keys, hidden), "v_proj": (keys, hidden)},
        **{"o_proj": (hidden, queries), "q_norm": (head,), "k_norm": (head,)},
        **{"gate_proj": (between, hidden), "up_proj": (between, hidden), "down_proj": (hidden, between)},
        **dict.fromkeys((*norms, *more_norms), (hidden,)),
    }
