"""A tiny model of every architecture that can be imported, once as mlx-lm reads it and once as GGUF.

The names and the changes of numbers are those of llama.cpp's convert_hf_to_gguf.py, written a second time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, quants
from safetensors.numpy import save_file

from tests.gguf_files import random_blocks, tokenizer_metadata, write_file

HIDDEN, FFN, HEADS, KV_HEADS, CONTEXT = 256, 512, 4, 2, 512
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """What one architecture has that others have not."""

    architecture: str
    model_type: str = ""
    layers: int = 2
    head_dim: int = HIDDEN // HEADS
    norms: Mapping[str, str] = field(
        default_factory=lambda: {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    )
    head_norms: bool = False
    biases: bool = False
    norm_offset: float = 0.0
    theta: float = 10000.0
    config: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)  # without the architecture's name


_FOUR_NORMS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
LLAMA = Tiny(architecture="llama", metadata={"rope.dimension_count": HIDDEN // HEADS})
# As Mistral's are stored: llama's architecture, and heads that do not share the model's width.
MISTRAL = Tiny(
    architecture="llama",
    head_dim=128,
    theta=1e6,
    config={"head_dim": 128},
    metadata={"attention.key_length": 128, "attention.value_length": 128, "rope.dimension_count": 128},
)
QWEN2 = Tiny(architecture="qwen2", biases=True, theta=1e6)
QWEN3 = Tiny(
    architecture="qwen3",
    head_dim=128,
    head_norms=True,
    theta=1e6,
    config={"head_dim": 128},
    metadata={"attention.key_length": 128, "attention.value_length": 128},
)
GEMMA2 = Tiny(
    architecture="gemma2",
    head_dim=128,
    norms=_FOUR_NORMS,
    norm_offset=1.0,
    config={
        "head_dim": 128,
        "query_pre_attn_scalar": 128,
        "attn_logit_softcapping": 20.0,
        "final_logit_softcapping": 10.0,
    },
    metadata={
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.sliding_window": 4096,
        "attn_logit_softcapping": 20.0,
        "final_logit_softcapping": 10.0,
    },
)
GEMMA3 = Tiny(
    architecture="gemma3",
    model_type="gemma3_text",
    layers=7,  # the sixth sees everything, the others a window
    head_dim=128,
    head_norms=True,
    norms=_FOUR_NORMS,
    norm_offset=1.0,
    theta=1e6,
    config={
        "head_dim": 128,
        "query_pre_attn_scalar": 128,
        "sliding_window": 8,
        "rope_local_base_freq": 10000.0,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0},
    },
    metadata={
        "attention.key_length": 128,
        "attention.value_length": 128,
        "attention.sliding_window": 8,
        "rope.scaling.type": "linear",
        "rope.scaling.factor": 8.0,
    },
)
TINY = {
    **{"llama": LLAMA, "mistral": MISTRAL, "qwen2": QWEN2},
    **{"qwen3": QWEN3, "gemma2": GEMMA2, "gemma3": GEMMA3},
}


def make_pair(
    folder: Path,
    tiny: Tiny,
    *,
    kind: str = "F16",
    embedding: str = "",
    untied: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> tuple[Path, Path]:
    """A model folder with plain numbers, and a GGUF file that has the same ones in types of its own."""
    metadata = _metadata(tiny) | dict(changes or {})
    tokens = len(metadata["tokenizer.ggml.tokens"])
    weights: dict[str, Any] = {}
    tensors: dict[str, tuple[Any, str]] = {}
    for seed, (name, shape) in enumerate(_shapes(tiny, tokens, untied).items()):
        stored_as = (embedding or kind) if "embed" in name or "lm_head" in name else kind
        array, stored = _drawn(tiny, name, shape, stored_as, seed)
        weights[name] = array
        tensors[_gguf_name(tiny, name)] = stored
    (folder / "plain").mkdir(parents=True)
    save_file(weights, folder / "plain" / "model.safetensors", metadata={"format": "mlx"})
    (folder / "plain" / "config.json").write_text(json.dumps(_config(tiny, tokens, untied)))
    return folder / "plain", write_file(folder / "x.gguf", tiny.architecture, metadata, tensors)


def _drawn(
    tiny: Tiny, name: str, shape: tuple[int, ...], kind: str, seed: int
) -> tuple[Any, tuple[Any, str]]:
    """The numbers as MLX wants them, and as the file has them."""
    random = np.random.default_rng(seed)
    if len(shape) == 1:
        array = _short(random.standard_normal(shape) * 0.1 + ("norm" in name and not tiny.norm_offset))
        offset = np.float32(tiny.norm_offset if "norm" in name else 0)
        return array, (_in_gguf_order(tiny, name, array + offset), "F32")
    if kind == "F16":
        array = _short(random.standard_normal(shape) * 0.08)
        return array, (_in_gguf_order(tiny, name, array.astype(np.float16)), "F16")
    rows = random_blocks(kind, rows=shape[0], columns=shape[1], seed=seed, scale=_SCALES[kind])
    return quants.dequantize(rows, GGMLQuantizationType[kind]), (_in_gguf_order(tiny, name, rows), kind)


def _short(numbers: Any) -> Any:
    """Numbers that both kinds of half precision hold as they are."""
    return (np.round(numbers * 128) / 128).astype(np.float32)


# Of the scales of random blocks, so that weights come out between some -0.2 and 0.2.
_SCALES = {
    **{"Q4_0": 0.02, "Q4_1": 0.01, "Q5_0": 0.01, "Q5_1": 0.005, "Q8_0": 0.001},
    **{"Q2_K": 0.004, "Q3_K": 0.002, "Q4_K": 0.0003, "Q5_K": 0.00015, "Q6_K": 0.00005},
}


def _in_gguf_order(tiny: Tiny, name: str, array: Any) -> Any:
    """What llama.cpp's LlamaModel.permute does to q and k."""
    heads = {"q_proj": HEADS, "k_proj": KV_HEADS}.get(name.split(".")[-2], 0)
    if tiny.architecture != "llama" or not heads:
        return array
    rows, *rest = array.shape
    return array.reshape(heads, 2, rows // heads // 2, *rest).swapaxes(1, 2).reshape(array.shape)


def _shapes(tiny: Tiny, tokens: int, untied: bool) -> Shapes:
    wide, narrow = HEADS * tiny.head_dim, KV_HEADS * tiny.head_dim
    shapes: Shapes = {"model.embed_tokens.weight": (tokens, HIDDEN), "model.norm.weight": (HIDDEN,)}
    if untied:
        shapes["lm_head.weight"] = (tokens, HIDDEN)
    for layer in (f"model.layers.{i}" for i in range(tiny.layers)):
        shapes |= {f"{layer}.{norm}.weight": (HIDDEN,) for norm in tiny.norms}
        for part, rows in (("q", wide), ("k", narrow), ("v", narrow)):
            shapes[f"{layer}.self_attn.{part}_proj.weight"] = (rows, HIDDEN)
            if tiny.biases:
                shapes[f"{layer}.self_attn.{part}_proj.bias"] = (rows,)
            if tiny.head_norms and part != "v":
                shapes[f"{layer}.self_attn.{part}_norm.weight"] = (tiny.head_dim,)
        shapes[f"{layer}.self_attn.o_proj.weight"] = (HIDDEN, wide)
        shapes[f"{layer}.mlp.gate_proj.weight"] = shapes[f"{layer}.mlp.up_proj.weight"] = (FFN, HIDDEN)
        shapes[f"{layer}.mlp.down_proj.weight"] = (HIDDEN, FFN)
    return shapes


def _gguf_name(tiny: Tiny, name: str) -> str:
    top = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    whole, part = name.rsplit(".", 1)
    if whole in top:
        return f"{top[whole]}.{part}"
    _, _, layer, *rest = whole.split(".")
    inside = rest[-1]
    if inside in tiny.norms:
        return f"blk.{layer}.{tiny.norms[inside]}.{part}"
    if inside == "o_proj":
        return f"blk.{layer}.attn_output.{part}"
    block = "attn" if rest[0] == "self_attn" else "ffn"
    return f"blk.{layer}.{block}_{inside.removesuffix('_proj')}.{part}"


def _config(tiny: Tiny, tokens: int, untied: bool) -> dict[str, Any]:
    return {
        "model_type": tiny.model_type or tiny.architecture,
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": tiny.layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-6,
        "rope_theta": tiny.theta,
        "vocab_size": tokens,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": not untied,
        **tiny.config,
    }


def _metadata(tiny: Tiny) -> dict[str, Any]:
    own = {
        "embedding_length": HIDDEN,
        "feed_forward_length": FFN,
        "block_count": tiny.layers,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "context_length": CONTEXT,
        "rope.freq_base": tiny.theta,
        "attention.layer_norm_rms_epsilon": 1e-6,
        **tiny.metadata,
    }
    return {f"{tiny.architecture}.{key}": value for key, value in own.items()} | tokenizer_metadata()
