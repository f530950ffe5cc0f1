"""Models with linear attention or a gated recurrence in some or all of their layers."""

from tests.architectures.fields import (
    EXPERT_FFN,
    EXPERTS,
    FFN,
    HEAD,
    HEAD_DIM,
    HEADS,
    HIDDEN,
    LATENT_ATTENTION,
    LAYERS,
    TEXT,
    VOCABULARY,
    WINDOW,
    Fields,
    nested,
)

_CONV = 4
_DELTA_NET: Fields = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_conv_kernel_dim": _CONV,
}
_EVERY_SECOND_FULL: Fields = {"num_hidden_layers": 4, "full_attention_interval": 2}
_SHARED_EXPERT: Fields = {
    **EXPERTS,
    "num_experts": 4,
    "shared_expert_intermediate_size": EXPERT_FFN,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "norm_topk_prob": True,
}
_QWEN3_5: Fields = {
    **TEXT,
    **HEAD,
    **_DELTA_NET,
    **_EVERY_SECOND_FULL,
    "rope_parameters": {
        "rope_type": "default",
        "mrope_section": [2, 1, 1],
        "rope_theta": 10000.0,
        "partial_rotary_factor": 0.5,
    },
}
_KDA: Fields = {
    "num_heads": HEADS,
    "head_dim": HEAD_DIM,
    "short_conv_kernel_size": _CONV,
    "kda_layers": [1, 3],
    "full_attn_layers": [2, 4],
}
_KIMI: Fields = {
    **TEXT,
    **HEAD,
    **LATENT_ATTENTION,
    "num_hidden_layers": 4,
    "linear_attn_config": _KDA,
    "num_experts": 8,
    "num_experts_per_token": 2,
    "num_shared_experts": 1,
    "moe_intermediate_size": EXPERT_FFN,
    "num_expert_group": 2,
    "topk_group": 1,
    "routed_scaling_factor": 1.5,
    "first_k_dense_replace": 1,
    "mla_use_nope": True,
}
_BAILING: Fields = {
    **TEXT,
    **EXPERTS,
    "num_hidden_layers": 4,
    "layer_group_size": 2,
    "group_norm_size": 2,
    "num_shared_experts": 1,
    "first_k_dense_replace": 1,
    "routed_scaling_factor": 1.5,
    "norm_topk_prob": True,
    "use_qk_norm": True,
    "n_group": 2,
    "topk_group": 1,
    "score_function": "sigmoid",
    "moe_router_enable_expert_bias": True,
    "partial_rotary_factor": 0.5,
}

CONFIGS: dict[str, Fields] = {
    "bailing_hybrid": {**_BAILING, **HEAD, **LATENT_ATTENTION},
    "bailing_moe_linear": {**_BAILING, **HEAD},
    # Its model type is that of bailing_hybrid; mlx-lm distinguishes the two by the architecture.
    "bailing_moe_v3": {
        **_BAILING,
        **HEAD,
        **LATENT_ATTENTION,
        "model_type": "bailing_hybrid",
        "architectures": ["BailingMoeV3ForCausalLM"],
        "moe_shared_expert_intermediate_size": EXPERT_FFN,
        "short_conv_kernel_size": _CONV,
    },
    "kimi_k3": nested(
        {
            **_KIMI,
            "linear_attn_config": {**_KDA, "gate_lower_bound": -5.0, "use_full_rank_gate": True},
            "hidden_act": "situ",
            "activation_situ_beta": 2.0,
            "activation_situ_linear_beta": 4.0,
            "attn_res_block_size": 2,
            "mla_use_output_gate": True,
            "routed_expert_hidden_size": 32,
            "latent_moe_use_norm": True,
        },
        "kimi_linear",
    ),
    "kimi_linear": {**_KIMI, "model_max_length": 2048},
    "olmo_hybrid": {
        **TEXT,
        **HEAD,
        **_DELTA_NET,
        "linear_num_key_heads": 4,
        "num_hidden_layers": 4,
        "layer_types": ["linear_attention", "full_attention", "linear_attention", "full_attention"],
        "linear_allow_neg_eigval": True,
    },
    # Projections of two widths are 2-bit packs, one of them rotated in blocks of 512.
    "prism_hadamard_qwen35": nested(
        {**_QWEN3_5, "hidden_size": 128, "intermediate_size": 512},
        "qwen3_5_text",
        schema_version=1,
        tensor_namespace="mlx-lm-text",
        quantization={"bits": 2, "group_size": 128, "mode": "affine"},
        modules=[
            {"path": "model.layers.0.mlp.up_proj", "block": 0, "embedding": False, "dtype": "float16"},
            {"path": "model.layers.1.mlp.down_proj", "block": 512, "embedding": False, "dtype": "float16"},
        ],
    ),
    "qwen3_5": nested(_QWEN3_5, "qwen3_5_text"),
    "qwen3_5_moe": nested({**_QWEN3_5, **_SHARED_EXPERT}, "qwen3_5_moe_text"),
    "qwen3_next": {
        **TEXT,
        **HEAD,
        **_DELTA_NET,
        **_EVERY_SECOND_FULL,
        **_SHARED_EXPERT,
        "mlp_only_layers": [0],
        "partial_rotary_factor": 0.5,
        "rope_scaling": None,
    },
    "recurrent_gemma": {
        **TEXT,
        "num_hidden_layers": 3,
        "num_key_value_heads": 1,
        "block_types": ["recurrent", "attention"],
        "attention_window_size": WINDOW,
        "conv1d_width": _CONV,
        "logits_soft_cap": 30.0,
        "embeddings_scale_by_sqrt_dim": True,
    },
    "rwkv7": {
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "norm_eps": 1e-5,
        "head_dim": HEAD_DIM,
        "a_low_rank_dim": 8,
        "v_low_rank_dim": 8,
        "gate_low_rank_dim": 8,
        "decay_low_rank_dim": 8,
    },
}
