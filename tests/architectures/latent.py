"""Transformers that keep a latent in place of keys and values, or attend to chosen tokens and blocks only."""

from tests.architectures.fields import (
    EXPERT_FFN,
    FFN,
    GROUPED_ROUTER,
    HEAD,
    LATENT_ATTENTION,
    ROUTED_EXPERTS,
    TEXT,
    WINDOW,
    YARN,
    Fields,
    nested,
)

_LATENT: Fields = {**TEXT, **LATENT_ATTENTION}
_YARN_WITH_SCALE: Fields = {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0}
_DEEPSEEK_V3: Fields = {**_LATENT, **ROUTED_EXPERTS, **GROUPED_ROUTER, "rope_scaling": _YARN_WITH_SCALE}
_INDEXER: Fields = {"index_head_dim": 16, "index_n_heads": 2, "index_topk": 8}
_LONGCAT: Fields = {
    **_LATENT,
    "num_layers": 2,
    "attention_method": "MLA",
    "zero_expert_type": "identity",
    "zero_expert_num": 2,
    "ffn_hidden_size": FFN,
    "expert_ffn_hidden_size": EXPERT_FFN,
    "n_routed_experts": 8,
    "moe_topk": 3,
    "routed_scaling_factor": 1.5,
    "mla_scale_q_lora": True,
    "mla_scale_kv_lora": True,
}

CONFIGS: dict[str, Fields] = {
    "deepseek_v2": {
        **_LATENT,
        **ROUTED_EXPERTS,
        "topk_method": "group_limited_greedy",
        "n_group": 2,
        "topk_group": 1,
        "rope_scaling": _YARN_WITH_SCALE,
    },
    "deepseek_v3": _DEEPSEEK_V3,
    "deepseek_v32": {**_DEEPSEEK_V3, **_INDEXER},
    # Layer 0 sees its window only. The others also see entries that layer 1 makes, one for every 4 tokens:
    # layer 1 chooses among all of them, layer 2 takes the same, layer 3 chooses within the best blocks.
    "deepseek_v41": nested(
        {
            **TEXT,
            "num_hidden_layers": 4,
            "head_dim": 32,
            "q_lora_rank": 32,
            "qk_rope_head_dim": 8,
            "o_groups": 2,
            "o_lora_rank": 16,
            "moe_intermediate_size": EXPERT_FFN,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "sliding_window": WINDOW,
            "compress_ratios": [0, 4, 4, 4],
            "kv_source_layer_ids": [1],
            "index_source_layer_ids": [1, 3],
            "candidate_source_layer_id": 1,
            "candidate_topk_blocks": 4,
            "candidate_block_size": 2,
            "index_n_heads": 2,
            "index_head_dim": 32,
            "index_topk": 4,
            "hc_mult": 2,
            "hc_sinkhorn_iters": 4,
            "rope_scaling": YARN,
        },
        "deepseek_v41_text",
    ),
    "glm4_moe_lite": {**_LATENT, **ROUTED_EXPERTS, **GROUPED_ROUTER, "num_nextn_predict_layers": 1},
    "glm_moe_dsa": {
        **_LATENT,
        **ROUTED_EXPERTS,
        **GROUPED_ROUTER,
        **_INDEXER,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    },
    "kimi_k25": nested(_DEEPSEEK_V3, "kimi_k2"),
    "kimi_vl": nested(_DEEPSEEK_V3, "deepseek_v3"),
    "longcat_flash": _LONGCAT,
    "longcat_flash_ngram": {
        **_LONGCAT,
        "ngram_vocab_size_ratio": 2,
        "emb_neighbor_num": 3,
        "emb_split_num": 2,
    },
    "minicpm3": {
        **_LATENT,
        "dim_model_base": 128,
        "scale_depth": 1.4,
        "scale_emb": 4.0,
        "rope_scaling": {
            "type": "longrope",
            "short_factor": [1.0] * 4,
            "long_factor": [1.5] * 4,
            "original_max_position_embeddings": 512,
        },
    },
    "minimax_m3_vl": nested(
        {
            **TEXT,
            **HEAD,
            "num_hidden_layers": 3,
            "intermediate_size": EXPERT_FFN,
            "dense_intermediate_size": FFN,
            "shared_intermediate_size": EXPERT_FFN,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "moe_layer_freq": [0, 1, 1],
            "sparse_attention_config": {
                "sparse_num_index_heads": 2,
                "sparse_index_dim": 16,
                "sparse_block_size": 4,
                "sparse_topk_blocks": 2,
                "sparse_local_block": 1,
                "sparse_attention_freq": [0, 1, 1],
            },
        },
        "minimax_m3_vl_text",
    ),
    "mistral4": {
        **_LATENT,
        **ROUTED_EXPERTS,
        **GROUPED_ROUTER,
        "rope_parameters": {**_YARN_WITH_SCALE, "rope_theta": 10000.0, "llama_4_scaling_beta": 0.1},
    },
    "youtu_llm": {**_LATENT, "mlp_bias": False},
}
