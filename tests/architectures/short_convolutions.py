"""Models with a short convolution in some of their layers."""

from tests.architectures.fields import (
    EXPERTS,
    FFN,
    HEAD,
    HEADS,
    HIDDEN,
    TEXT,
    WINDOW,
    Fields,
    nested,
)

_CONV = 4
_LFM2: Fields = {
    **TEXT,
    "num_hidden_layers": 4,
    "norm_eps": 1e-5,
    "conv_bias": False,
    "conv_L_cache": _CONV,
    "block_dim": HIDDEN,
    "block_ff_dim": FFN,
    "block_multiple_of": 16,
    "block_ffn_dim_multiplier": 1.0,
    "block_auto_adjust_ff_dim": True,
    "layer_types": ["conv", "full_attention", "conv", "full_attention"],
}

CONFIGS: dict[str, Fields] = {
    "baichuan_m1": {
        **TEXT,
        "num_hidden_layers": 4,
        "sliding_window": WINDOW,
        "sliding_window_layers": [0, 2],
        "num_swa_attention_heads": 2 * HEADS,
        "num_swa_key_value_heads": HEADS,
        "conv_window": 2,
    },
    "gear": {
        **TEXT,
        **HEAD,
        "num_hidden_layers": 4,
        "sliding_window": WINDOW,
        "layer_types": ["conv_mixer", "sliding_attention", "conv_mixer", "full_attention"],
        "conv_L_cache": _CONV,
        "rope_local_base_freq": 10000.0,
        "final_logit_softcapping": 30.0,
        "attn_logit_softcapping": 50.0,
    },
    "lfm2": _LFM2,
    "lfm2-vl": nested(_LFM2, "lfm2"),
    "lfm2_moe": {
        **_LFM2,
        **EXPERTS,
        "num_dense_layers": 1,
        "use_expert_bias": True,
        "norm_topk_prob": True,
    },
}
