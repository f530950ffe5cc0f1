"""Groups of config fields that many architectures share, each named after what it describes."""

from typing import Any

Fields = dict[str, Any]

VOCABULARY = 320
CONTEXT = 2048
HIDDEN, FFN, EXPERT_FFN, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 64, 128, 64, 2, 4, 2, 16
WINDOW = 32  # a prompt of 40 tokens goes beyond it
STATE = 16

TEXT: Fields = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": FFN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "attention_bias": False,
}
HEAD: Fields = {"head_dim": HEAD_DIM}
EACH_HEAD_ITS_OWN_KV: Fields = {"num_key_value_heads": HEADS}

SLIDING_AND_FULL: Fields = {
    "num_hidden_layers": 4,
    "sliding_window": WINDOW,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
}

# The router chooses 2 of 8 experts; where these are in groups, 2 of the 4 in 1 of 2 groups.
EXPERTS: Fields = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": EXPERT_FFN}
ROUTED_EXPERTS: Fields = {
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "moe_intermediate_size": EXPERT_FFN,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "routed_scaling_factor": 1.5,
    "norm_topk_prob": True,
}
GROUPED_ROUTER: Fields = {"n_group": 2, "topk_group": 1, "topk_method": "noaux_tc", "scoring_func": "sigmoid"}

LATENT_ATTENTION: Fields = {
    **EACH_HEAD_ITS_OWN_KV,
    "q_lora_rank": 32,
    "kv_lora_rank": 32,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 16,
}

YARN: Fields = {
    "type": "yarn",
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 512,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
}


def nested(text: Fields, model_type: str, **top: Any) -> Fields:
    """The config of a model with a text part of its own, as models that also see images have it."""
    return {"text_config": {**text, "model_type": model_type}, "vocab_size": VOCABULARY, **top}
