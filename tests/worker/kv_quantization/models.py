"""Tiny models with heads of 32 numbers, which a group of a quantised KV cache divides."""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.utils import _get_classes

from tests.architectures import configs
from tests.architectures.weights import randomize

VOCABULARY = 320
_WIDE: dict[str, dict[str, Any]] = {
    "llama": {"head_dim": 32, "num_hidden_layers": 4},
    "qwen3": {"head_dim": 64, "num_hidden_layers": 4},
    "gemma2": {"head_dim": 32, "num_hidden_layers": 3},
    "gemma3": {"head_dim": 32},
    "gpt_oss": {"head_dim": 32},
    "deepseek_v3": {"qk_rope_head_dim": 32, "num_hidden_layers": 3},
    "qwen3_next": {"head_dim": 32, "num_hidden_layers": 8},
}
FAMILIES = tuple(_WIDE)


def wide(name: str, **changes: Any) -> nn.Module:
    """The architecture's tiny model with wider heads, in fp32."""
    fields = configs.config(name)
    for part in (fields, fields.get("text_config", {})):
        part.update(_WIDE[name] | changes)
    model_class, args_class = _get_classes(fields)
    model = model_class(args_class.from_dict(fields))
    randomize(model, 0)
    model.eval()
    mx.eval(model.parameters())
    return model


def prompt(length: int, seed: int = 0) -> list[int]:
    return list(np.random.default_rng(seed).integers(0, VOCABULARY, length).tolist())


def logits(model: nn.Module, tokens: list[int], caches: list[Any]) -> "np.ndarray[Any, Any]":
    """The logits after each token, (T, V)."""
    return np.array(model(mx.array([tokens]), cache=caches)[0].astype(mx.float32))


def distance(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> float:
    """The median relative distance of logits, (T, V)."""
    sizes = np.linalg.norm(other - other.mean(-1, keepdims=True), axis=-1)
    return float(np.median(np.linalg.norm(one - other, axis=-1) / sizes))
