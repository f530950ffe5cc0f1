"""The fields of config.json of each architecture, from the keys that llama.cpp writes."""

from typing import Any

import pytest

from inference.worker.conversion.architectures import ARCHITECTURES, shared_config
from inference.worker.conversion.metadata import GgufMetadata
from tests.each import each

# Of convert_hf_to_gguf.py for google/gemma-2-9b, gemma-3-4b and Qwen2.5-0.5B.
GEMMA_2 = {
    **{"embedding_length": 3584, "feed_forward_length": 14336, "block_count": 42, "context_length": 8192},
    **{"attention.head_count": 16, "attention.head_count_kv": 8, "attention.key_length": 256},
    **{"attention.value_length": 256, "attention.layer_norm_rms_epsilon": 1e-6},
    **{"attention.sliding_window": 4096, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
}
GEMMA_3 = {
    **{"embedding_length": 2560, "feed_forward_length": 10240, "block_count": 34, "context_length": 131072},
    **{"attention.head_count": 8, "attention.head_count_kv": 4, "attention.key_length": 256},
    **{"attention.value_length": 256, "attention.layer_norm_rms_epsilon": 1e-6, "rope.freq_base": 1e6},
    **{"attention.sliding_window": 1024, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0},
}
QWEN_2 = {
    **{"embedding_length": 896, "feed_forward_length": 4864, "block_count": 24, "context_length": 32768},
    **{"attention.head_count": 14, "attention.head_count_kv": 2, "rope.freq_base": 1e6},
    **{"attention.layer_norm_rms_epsilon": 1e-6},
}


def metadata(architecture: str, values: dict[str, Any]) -> GgufMetadata:
    return GgufMetadata(architecture, {f"{architecture}.{key}": value for key, value in values.items()})


def own(architecture: str, values: dict[str, Any]) -> dict[str, Any]:
    return ARCHITECTURES[architecture].config(metadata(architecture, values))


def test_the_shared_part_has_the_values_of_the_file() -> None:
    assert shared_config(metadata("qwen2", QWEN_2)) == {
        **{"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "head_dim": 64},
        **{"num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 32768},
        **{"rms_norm_eps": 1e-6, "rope_theta": 1e6},
    }


def test_gemma_2_caps_its_logits() -> None:
    assert own("gemma2", GEMMA_2) == {
        **{"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "sliding_window": 4096},
        "query_pre_attn_scalar": 256,
    }


def test_gemma_3_sees_everything_in_every_sixth_layer() -> None:
    assert own("gemma3", GEMMA_3) == {
        **{"rope_local_base_freq": 10000.0, "sliding_window": 1024, "sliding_window_pattern": 6},
        "query_pre_attn_scalar": 256,
    }


@pytest.mark.parametrize(
    ("architecture", "values", "scalar"),
    [
        ("gemma2", GEMMA_2 | {"block_count": 46, "embedding_length": 4608, "attention.head_count": 32}, 144),
        ("gemma3", GEMMA_3 | {"block_count": 62, "embedding_length": 5376, "attention.head_count": 32}, 168),
    ],
)
def test_the_largest_gemmas_scale_by_the_models_width(
    architecture: str, values: dict[str, Any], scalar: int
) -> None:
    assert own(architecture, values)["query_pre_attn_scalar"] == scalar


@each(
    ("architecture", "values", "reason"),
    [
        ("qwen2", QWEN_2 | {"attention.key_length": 128}, "do not share the width"),
        ("gemma3", GEMMA_3 | {"final_logit_softcapping": 30.0}, "its logits are capped"),
        ("gemma3", GEMMA_3 | {"attention.value_length": 128}, "differ in width"),
        ("gemma3", GEMMA_3 | {"rope.dimension_count": 64}, "a part of each head"),
        ("gemma2", GEMMA_2 | {"attention.head_count_kv": 0}, "no attention heads"),
    ],
)
def test_what_mlx_has_no_room_for_is_refused(architecture: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        shared_config(metadata(architecture, values))
        own(architecture, values)


@pytest.mark.mlx
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_mlx_lm_has_the_class_it_is_served_as(name: str) -> None:
    from mlx_lm.utils import _get_classes

    model, _ = _get_classes({"model_type": ARCHITECTURES[name].model_type})
    assert model.__module__.startswith("mlx_lm.models.")
