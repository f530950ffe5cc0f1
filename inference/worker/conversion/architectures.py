"""The model architectures that can be imported: names of tensors, and fields of config.json.

GGUF's names are in https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py, and
its changes to the weights in convert_hf_to_gguf.py there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inference.worker.conversion.metadata import GgufMetadata

TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
HEAD = {"output.weight": "lm_head.weight"}
_ATTENTION = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
}
_BIASES = {f"attn_{part}.bias": f"self_attn.{part}_proj.bias" for part in "qkv"}
_HEAD_NORMS = {f"attn_{part}_norm.weight": f"self_attn.{part}_norm.weight" for part in "qk"}
_FEED_FORWARD = {f"ffn_{part}.weight": f"mlp.{part}_proj.weight" for part in ("gate", "up", "down")}
_TWO_NORMS = {"ffn_norm.weight": "post_attention_layernorm.weight"}
_FOUR_NORMS = {
    "post_attention_norm.weight": "post_attention_layernorm.weight",
    "ffn_norm.weight": "pre_feedforward_layernorm.weight",
    "post_ffw_norm.weight": "post_feedforward_layernorm.weight",
}
Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One architecture; ARCHITECTURES has them by their GGUF names."""

    model_type: str
    class_name: str
    block: Mapping[str, str]  # the tensors of one layer; all are required
    config: Callable[[GgufMetadata], Config]  # the fields besides those of shared_config
    has_head: bool = True  # may have a separate output matrix
    interleaves: bool = False  # the rows of q and k are in llama.cpp's order
    norm_offset: float = 0.0  # GGUF has added this to the norms; MLX adds it by itself
    floats: str = "BF16"  # the type of its plain weights


def shared_config(metadata: GgufMetadata) -> Config:
    """The fields of config.json that every architecture has."""
    return {
        "hidden_size": metadata.number("embedding_length"),
        "intermediate_size": metadata.number("feed_forward_length"),
        "num_hidden_layers": metadata.number("block_count"),
        "num_attention_heads": metadata.number("attention.head_count"),
        "head_dim": head_dim(metadata),
        "num_key_value_heads": kv_heads(metadata),
        "max_position_embeddings": metadata.number("context_length"),
        "rms_norm_eps": metadata.real("attention.layer_norm_rms_epsilon", 1e-5),
        "rope_theta": metadata.real("rope.freq_base", 10000.0),
    }


def kv_heads(metadata: GgufMetadata) -> int:
    return metadata.number("attention.head_count_kv", metadata.number("attention.head_count"))


def head_dim(metadata: GgufMetadata) -> int:
    """The size of a head; raises ValueError for attention that mlx-lm's classes do not support."""
    hidden, heads = metadata.number("embedding_length"), metadata.number("attention.head_count")
    if heads < 1 or kv_heads(metadata) < 1:
        raise ValueError("it has no attention heads")
    width = metadata.number("attention.key_length", hidden // heads)
    if metadata.number("attention.value_length", width) != width:
        raise ValueError("its keys and values differ in width, which is not supported")
    if metadata.number("rope.dimension_count", width) != width:
        raise ValueError("its rotary embedding covers a part of each head, which is not supported")
    return width


def _llama(metadata: GgufMetadata) -> Config:
    return {}


def _qwen2(metadata: GgufMetadata) -> Config:
    if head_dim(metadata) * metadata.number("attention.head_count") != metadata.number("embedding_length"):
        raise ValueError("its heads do not share the width of the model, which is not supported")
    return {}


def _qwen3(metadata: GgufMetadata) -> Config:
    return {}


def _gemma2(metadata: GgufMetadata) -> Config:
    return {
        "attn_logit_softcapping": metadata.real("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": metadata.real("final_logit_softcapping", 30.0),
        "sliding_window": metadata.number("attention.sliding_window", 4096),
        "query_pre_attn_scalar": _query_scalar(metadata, layers_of_27b=46),
    }


def _gemma3(metadata: GgufMetadata) -> Config:
    if metadata.real("final_logit_softcapping", 0.0):
        raise ValueError("its logits are capped, which is not supported")
    return {
        "rope_local_base_freq": metadata.real("rope.freq_base_swa", 10000.0),
        "sliding_window": metadata.number("attention.sliding_window"),
        "sliding_window_pattern": metadata.number("attention.sliding_window_pattern", 6),
        "query_pre_attn_scalar": _query_scalar(metadata, layers_of_27b=62),
    }


def _query_scalar(metadata: GgufMetadata, *, layers_of_27b: int) -> float:
    """The largest model of each family scales by the model's width; no key says so, llama.cpp knows it."""
    if metadata.number("block_count") == layers_of_27b:
        return metadata.number("embedding_length") / metadata.number("attention.head_count")
    return head_dim(metadata)


ARCHITECTURES: Mapping[str, Architecture] = {
    "llama": Architecture(
        model_type="llama",
        class_name="LlamaForCausalLM",
        block=_ATTENTION | _FEED_FORWARD | _TWO_NORMS,
        config=_llama,
        interleaves=True,
        # Its values are within the range of FP16, which is more precise than BF16; others may exceed it.
        floats="F16",
    ),
    "qwen2": Architecture(
        model_type="qwen2",
        class_name="Qwen2ForCausalLM",
        block=_ATTENTION | _BIASES | _FEED_FORWARD | _TWO_NORMS,
        config=_qwen2,
    ),
    "qwen3": Architecture(
        model_type="qwen3",
        class_name="Qwen3ForCausalLM",
        block=_ATTENTION | _HEAD_NORMS | _FEED_FORWARD | _TWO_NORMS,
        config=_qwen3,
    ),
    "gemma2": Architecture(
        model_type="gemma2",
        class_name="Gemma2ForCausalLM",
        block=_ATTENTION | _FEED_FORWARD | _FOUR_NORMS,
        config=_gemma2,
        has_head=False,
        norm_offset=1.0,
    ),
    "gemma3": Architecture(
        model_type="gemma3_text",
        class_name="Gemma3ForCausalLM",
        block=_ATTENTION | _HEAD_NORMS | _FEED_FORWARD | _FOUR_NORMS,
        config=_gemma3,
        norm_offset=1.0,
    ),
}
