"""GGUF files as others write them: the tiny model through the `gguf` package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, quants
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
# Where a block has its scales in half precision; offsets are so many scales, which has weights around zero.
_HALVES: dict[str, dict[int, float]] = {
    **{"Q4_0": {0: 1}, "Q5_0": {0: 1}, "Q8_0": {0: 1}, "Q3_K": {108: 1}, "Q6_K": {208: 1}},
    **{"Q4_1": {0: 1, 2: -7.5}, "Q5_1": {0: 1, 2: -15.5}, "Q2_K": {80: 1, 82: 1.5}},
    **{"Q4_K": {0: 1, 2: 7.5}, "Q5_K": {0: 1, 2: 15.5}},
}
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
    tensors = in_gguf(weights, kind=kind, kinds=kinds)
    return write_file(path, architecture, _metadata() | dict(changes or {}), tensors)


def in_gguf(
    weights: Weights,
    *,
    kind: str,
    kinds: Mapping[str, str] | None = None,
    heads: int = HEADS,
    kv_heads: int = KV_HEADS,
) -> dict[str, tuple[Any, str]]:
    """A llama's weights by their names, in the order and the types that GGUF has them in."""
    tensors = {}
    for name, array in weights.items():
        other = _gguf_name(name)
        wanted = "F32" if array.ndim == 1 else (kinds or {}).get(other, kind)
        turned = {"attn_q": heads, "attn_k": kv_heads}.get(other.split(".")[-2], 0)
        tensors[other] = (_stored(_in_gguf_order(array, turned), wanted), wanted)
    return tensors


def write_file(
    path: Path, architecture: str, metadata: Mapping[str, Any], tensors: Mapping[str, tuple[Any, str]]
) -> Path:
    """Write metadata, but for what is None, and tensors: each in the bytes or numbers of its type."""
    writer = GGUFWriter(path, architecture)
    for key, value in metadata.items():
        _add(writer, key, value)
    for name, (array, kind) in tensors.items():
        plain = kind in {"F32", "F16"}
        writer.add_tensor(name, array, raw_dtype=None if plain else GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def vocabulary() -> list[str]:
    """The tiny model's tokens in the order of their ids, and ADDED."""
    known = make_tokenizer().get_vocab()
    return [*sorted(known, key=lambda token: known[token]), *ADDED]


def random_blocks(kind: str, *, rows: int, columns: int, seed: int = 0, scale: float = 0.01) -> Any:
    """Rows of stored bytes with random codes, and scales of a size that weights have."""
    random = np.random.default_rng(seed)
    items, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    blocks = random.integers(0, 256, (rows * columns // items, size), np.uint8)
    for at, factor in _HALVES[kind].items():
        halves = (random.uniform(0.5, 1, len(blocks)) * scale * factor).astype("<f2")
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


def _metadata() -> dict[str, Any]:
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
        **tokenizer_metadata(),
    }


def tokenizer_metadata() -> dict[str, Any]:
    """The tiny model's tokenizer as GGUF has it."""
    tokens = vocabulary()
    kinds = [3 if token.startswith("<|") else 4 if token == USER_DEFINED else 1 for token in tokens]
    return {
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


def _stored(array: Any, kind: str) -> Any:
    if kind in {"F32", "F16"}:
        return array.astype(np.float32 if kind == "F32" else np.float16)
    return quants.quantize(array, GGMLQuantizationType[kind])


def _gguf_name(name: str) -> str:
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        return f"blk.{layer}.{_NAMES[rest.removesuffix('.weight')]}.weight"
    top = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    return f"{top[name.removesuffix('.weight')]}.weight"


def _in_gguf_order(array: Any, heads: int) -> Any:
    """What llama.cpp's convert_hf_to_gguf.py (LlamaModel.permute) does to q and k."""
    if not heads:
        return array
    rows = array.shape[0]
    return array.reshape(heads, 2, rows // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
