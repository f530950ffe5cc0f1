"""GGUF files as others write them: the tiny model through the `gguf` package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants
from safetensors.numpy import load_file

from tests.tiny import FFN, HEADS, HIDDEN, KV_HEADS, LAYERS, LLAMA_3, make_tiny_model, make_tokenizer

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
MERGES = ("a b", "ab c", "Ġ a", "1 2")
USER_DEFINED = "<think>"  # found whole in any text, yet ordinary text
ADDED = (*(merge.replace(" ", "") for merge in MERGES), USER_DEFINED)
Weights = Mapping[str, "np.ndarray[Any, np.dtype[np.float32]]"]


def tiny_weights(folder: Path, *, untied: bool = False) -> Weights:
    """The tiny model's weights by their safetensors names."""
    weights = load_file(make_tiny_model(folder) / "model.safetensors")
    embedding = weights["model.embed_tokens.weight"]
    weights["model.embed_tokens.weight"] = np.vstack([embedding, embedding[: len(ADDED)] * 2])
    if untied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"][::-1].copy()
    return weights


def write_gguf(
    path: Path,
    weights: Weights,
    *,
    kind: str = "F16",
    kinds: Mapping[str, str] | None = None,
    architecture: str = "llama",
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write `weights` in one type, but those named in `kinds` in theirs; `changes` replaces metadata."""
    writer = GGUFWriter(path, architecture)
    for key, value in (_metadata() | dict(changes or {})).items():
        _add(writer, key, value)
    for name, array in weights.items():
        other = _gguf_name(name)
        wanted = "F32" if array.ndim == 1 else (kinds or {}).get(other, kind)
        _add_tensor(writer, other, _in_gguf_order(other, array), GGMLQuantizationType[wanted])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def vocabulary() -> list[str]:
    """The tiny model's tokens in the order of their ids, and ADDED."""
    known = make_tokenizer().get_vocab()
    return [*sorted(known, key=lambda token: known[token]), *ADDED]


def _metadata() -> dict[str, Any]:
    tokens = vocabulary()
    kinds = [3 if token.startswith("<|") else 4 if token == USER_DEFINED else 1 for token in tokens]
    return {
        "llama.embedding_length": HIDDEN,
        "llama.feed_forward_length": FFN,
        "llama.block_count": LAYERS,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.context_length": 512,
        "llama.rope.freq_base": 20000.0,
        "llama.rope.dimension_count": HIDDEN // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.bos_token_id": tokens.index("<|begin_of_text|>"),
        "tokenizer.ggml.eos_token_id": tokens.index("<|im_end|>"),
        "tokenizer.chat_template": LLAMA_3,
    }


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _add_tensor(writer: GGUFWriter, name: str, array: Any, kind: GGMLQuantizationType) -> None:
    if kind == GGMLQuantizationType.F32:
        writer.add_tensor(name, array)
    elif kind == GGMLQuantizationType.F16:
        writer.add_tensor(name, array.astype(np.float16))
    else:
        writer.add_tensor(name, quants.quantize(array, kind), raw_dtype=kind)


def _gguf_name(name: str) -> str:
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        return f"blk.{layer}.{_NAMES[rest.removesuffix('.weight')]}.weight"
    top = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    return f"{top[name.removesuffix('.weight')]}.weight"


def _in_gguf_order(name: str, array: Any) -> Any:
    """What llama.cpp's convert_hf_to_gguf.py (LlamaModel.permute) does to q and k."""
    heads = HEADS if ".attn_q." in name else KV_HEADS if ".attn_k." in name else 0
    if not heads:
        return array
    rows = array.shape[0]
    return array.reshape(heads, 2, rows // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
