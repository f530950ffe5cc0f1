"""The model architectures that can be imported: where GGUF's tensors belong, what mlx-lm's classes ask for.

GGUF's names are those of https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py, and
what it changes in the numbers is in convert_hf_to_gguf.py there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inference.worker.conversion.facts import Facts

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
    """One architecture by its GGUF name, which the dictionary below has."""

    model_type: str
    class_name: str
    block: Mapping[str, str]  # the tensors of one layer, every one of which is needed
    config: Callable[[Facts], Config]  # besides what all have
    has_head: bool = True  # may have an output matrix of its own
    interleaves: bool = False  # the rows of q and k are in llama.cpp's order
    norm_offset: float = 0.0  # GGUF's norms have this much that MLX adds by itself
    floats: str = "BF16"  # what it computes in


def shared_config(facts: Facts) -> Config:
    """What config.json says for every architecture."""
    return {
        "hidden_size": facts.number("embedding_length"),
        "intermediate_size": facts.number("feed_forward_length"),
        "num_hidden_layers": facts.number("block_count"),
        "num_attention_heads": facts.number("attention.head_count"),
        "head_dim": head_dim(facts),
        "num_key_value_heads": kv_heads(facts),
        "max_position_embeddings": facts.number("context_length"),
        "rms_norm_eps": facts.real("attention.layer_norm_rms_epsilon", 1e-5),
        "rope_theta": facts.real("rope.freq_base", 10000.0),
    }


def kv_heads(facts: Facts) -> int:
    return facts.number("attention.head_count_kv", facts.number("attention.head_count"))


def head_dim(facts: Facts) -> int:
    """The width of a head; ValueError for what mlx-lm's classes have no room for."""
    hidden, heads = facts.number("embedding_length"), facts.number("attention.head_count")
    if heads < 1 or kv_heads(facts) < 1:
        raise ValueError("it has no attention heads")
    width = facts.number("attention.key_length", hidden // heads)
    if facts.number("attention.value_length", width) != width:
        raise ValueError("its keys and values differ in width, which is not supported")
    if facts.number("rope.dimension_count", width) != width:
        raise ValueError("its rotary embedding covers a part of each head, which is not supported")
    return width


def _llama(facts: Facts) -> Config:
    return {}


def _qwen2(facts: Facts) -> Config:
    if head_dim(facts) * facts.number("attention.head_count") != facts.number("embedding_length"):
        raise ValueError("its heads do not share the width of the model, which is not supported")
    return {}


def _qwen3(facts: Facts) -> Config:
    return {}


def _gemma2(facts: Facts) -> Config:
    return {
        "attn_logit_softcapping": facts.real("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": facts.real("final_logit_softcapping", 30.0),
        "sliding_window": facts.number("attention.sliding_window", 4096),
        "query_pre_attn_scalar": _query_scalar(facts, layers_of_27b=46),
    }


def _gemma3(facts: Facts) -> Config:
    if facts.real("final_logit_softcapping", 0.0):
        raise ValueError("its logits are capped, which is not supported")
    return {
        "rope_local_base_freq": facts.real("rope.freq_base_swa", 10000.0),
        "sliding_window": facts.number("attention.sliding_window"),
        "sliding_window_pattern": facts.number("attention.sliding_window_pattern", 6),
        "query_pre_attn_scalar": _query_scalar(facts, layers_of_27b=62),
    }


def _query_scalar(facts: Facts, *, layers_of_27b: int) -> float:
    """No key has it; the largest of both families scale by the model's width, as llama.cpp knows too."""
    if facts.number("block_count") == layers_of_27b:
        return facts.number("embedding_length") / facts.number("attention.head_count")
    return head_dim(facts)


ARCHITECTURES: Mapping[str, Architecture] = {
    "llama": Architecture(
        model_type="llama",
        class_name="LlamaForCausalLM",
        block=_ATTENTION | _FEED_FORWARD | _TWO_NORMS,
        config=_llama,
        interleaves=True,
        # Its numbers stay within half precision, which has more digits. Those of the others may not.
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
