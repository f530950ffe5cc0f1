from typing import Any

import pytest

from inference.repository.files.gguf import StoredTensor
from inference.worker.conversion.shapes import check_shapes
from tests.each import each

CONFIG = {
    **{"hidden_size": 8, "intermediate_size": 16, "head_dim": 4, "vocab_size": 30},
    **{"num_attention_heads": 4, "num_key_value_heads": 1},
}
RIGHT = {
    "model.embed_tokens.weight": (30, 8),
    "lm_head.weight": (30, 8),
    "model.norm.weight": (8,),
    "model.layers.0.input_layernorm.weight": (8,),
    "model.layers.0.self_attn.q_proj.weight": (16, 8),
    "model.layers.0.self_attn.q_proj.bias": (16,),
    "model.layers.0.self_attn.k_proj.weight": (4, 8),
    "model.layers.0.self_attn.o_proj.weight": (8, 16),
    "model.layers.0.self_attn.q_norm.weight": (4,),
    "model.layers.0.mlp.up_proj.weight": (16, 8),
    "model.layers.0.mlp.down_proj.weight": (8, 16),
}


def tensors(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    return {name: StoredTensor(f"their {name}", 0, shape, 0) for name, shape in shapes.items()}


def test_what_fits_passes() -> None:
    check_shapes(tensors(RIGHT), CONFIG)


@each("name", RIGHT)
def test_what_does_not_fit_is_refused_by_its_name(name: str) -> None:
    for wrong in (RIGHT[name][::-1] + (1,), (2, *RIGHT[name][1:])):
        with pytest.raises(ValueError, match=f"their {name} does not fit"):
            check_shapes(tensors(RIGHT | {name: wrong}), CONFIG)
