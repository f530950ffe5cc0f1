"""Transformers that attend to a window in some layers, or use the keys and values of other layers."""

from tests.architectures.fields import (
    EXPERT_FFN,
    HEAD,
    HEADS,
    HIDDEN,
    KV_HEADS,
    SLIDING_AND_FULL,
    TEXT,
    VOCABULARY,
    WINDOW,
    YARN,
    Fields,
    nested,
)

_PATTERN_OF_TWO: Fields = {"num_hidden_layers": 4, "sliding_window": WINDOW, "sliding_window_pattern": 2}
_ROPE_BY_LAYER_TYPE: Fields = {
    "full_attention": {"rope_type": "default", "rope_theta": 100000.0, "partial_rotary_factor": 0.5},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
_GEMMA3: Fields = {
    **TEXT,
    **HEAD,
    **_PATTERN_OF_TWO,
    "query_pre_attn_scalar": 16.0,
    "rope_local_base_freq": 10000.0,
    "rope_theta": 100000.0,
}
# The last two layers use the keys and values of the first two.
_GEMMA3N: Fields = {
    **TEXT,
    **HEAD,
    **SLIDING_AND_FULL,
    "num_kv_shared_layers": 2,
    "vocab_size_per_layer_input": VOCABULARY,
    "rope_local_base_freq": 10000.0,
    "final_logit_softcapping": 30.0,
    "activation_sparsity_pattern": [0.95, 0.0, 0.0, 0.0],
    "hidden_size_per_layer_input": 16,
    "altup_num_inputs": 4,
    "altup_coef_clip": 120.0,
    "altup_correct_scale": True,
    "altup_active_idx": 0,
    "laurel_rank": 16,
}
_GEMMA4: Fields = {
    **TEXT,
    **HEAD,
    **SLIDING_AND_FULL,
    "global_head_dim": 32,
    "vocab_size_per_layer_input": VOCABULARY,
    "hidden_size_per_layer_input": 16,
    "num_kv_shared_layers": 2,
    "use_double_wide_mlp": True,
    "final_logit_softcapping": 30.0,
    "rope_parameters": {
        "full_attention": {"rope_type": "proportional", "rope_theta": 100000.0, "partial_rotary_factor": 0.5},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    },
    "tie_word_embeddings": True,
}
_MINISTRAL3: Fields = {
    **TEXT,
    **HEAD,
    **SLIDING_AND_FULL,
    "rope_parameters": {
        **YARN,
        "rope_theta": 10000.0,
        "llama_4_scaling_beta": 0.1,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
}

CONFIGS: dict[str, Fields] = {
    # The last two layers use the keys and values of the second.
    "afm7": {
        "vocab_size": VOCABULARY,
        "hidden_dim": HIDDEN,
        "num_layers": 4,
        "num_kv_reuse_layers": 2,
        "num_heads": HEADS,
        "num_kv_heads": KV_HEADS,
        "hidden_dim_scale_factor": 2.0,
        "rope_theta": 10000.0,
    },
    "cohere2": {**TEXT, **HEAD, **_PATTERN_OF_TWO, "layer_norm_eps": 1e-5, "logit_scale": 1.0},
    "exaone4": {
        **TEXT,
        **HEAD,
        "num_hidden_layers": 4,
        "rope_scaling": None,
        "sliding_window": WINDOW,
        "sliding_window_pattern": "LG",
    },
    "gemma3": nested(_GEMMA3, "gemma3_text"),
    "gemma3_text": _GEMMA3,
    "gemma3n": nested(_GEMMA3N, "gemma3n_text"),
    "gemma4": nested(
        {
            **_GEMMA4,
            "attention_k_eq_v": True,
            "num_global_key_value_heads": 1,
            "enable_moe_block": True,
            "num_experts": 4,
            "top_k_experts": 2,
            "moe_intermediate_size": EXPERT_FFN,
        },
        "gemma4_text",
    ),
    "gemma4_text": _GEMMA4,
    "iquestloopcoder": {**TEXT, **HEAD, "loop_num": 2, "loop_window_size": WINDOW},
    "ministral3": _MINISTRAL3,
    "mistral3": nested(_MINISTRAL3, "ministral3"),
    "muse_glimmer": nested(
        {
            **TEXT,
            **HEAD,
            **SLIDING_AND_FULL,
            "post_norm_eps": 1e-8,
            "qk_scale_factor": 3.87,
            "final_logit_softcapping": 20.0,
            "output_multiplier": 2.0,
        },
        "muse_glimmer_text",
    ),
    "olmo3": {**TEXT, **HEAD, **SLIDING_AND_FULL},
    # Its text model is that of llama, whose layers may have windows.
    "pixtral": nested({**TEXT, **HEAD, **SLIDING_AND_FULL}, "mistral"),
    "plamo3": {**TEXT, **HEAD, **_PATTERN_OF_TWO, "rope_local_theta": 10000.0, "rope_theta": 100000.0},
    "spark2_5": {
        **TEXT,
        **HEAD,
        **SLIDING_AND_FULL,
        "hidden_act": "gelu",
        "mlp_bias": False,
        "rope_parameters": _ROPE_BY_LAYER_TYPE,
    },
}
