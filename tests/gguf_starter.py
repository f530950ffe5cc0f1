"""The real starter model as others would hand it on: one GGUF file of 8 bits a weight."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.gguf_files import Weights, in_gguf, write_file


def write_starter(folder: Path, path: Path) -> Path:
    """Write the model in `folder`, however its weights are packed there, as the GGUF file `path`."""
    config = json.loads((folder / "config.json").read_text())
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    tensors = in_gguf(plain_weights(folder), kind="Q8_0", heads=heads, kv_heads=kv_heads)
    return write_file(path, "llama", _metadata(config) | _tokenizer(folder, config), tensors)


def plain_weights(folder: Path) -> Weights:
    """The weights in plain numbers."""
    import mlx.core as mx

    mx.set_default_device(mx.cpu)
    stored: Any = mx.load(str(folder / "model.safetensors"))
    plain: dict[str, Any] = {}
    for name, array in stored.items():
        layer, _, part = name.rpartition(".")
        if (scales := stored.get(f"{layer}.scales")) is not None:
            if part != "weight":
                continue
            bits = array.shape[-1] // scales.shape[-1]  # groups of 32 weights, words of 32 bits
            array = mx.dequantize(array, scales, stored[f"{layer}.biases"], group_size=32, bits=bits)
        plain[name] = np.array(array.astype(mx.float32))
    return plain


def _metadata(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "llama.embedding_length": config["hidden_size"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.block_count": config["num_hidden_layers"],
        "llama.attention.head_count": config["num_attention_heads"],
        "llama.attention.head_count_kv": config["num_key_value_heads"],
        "llama.context_length": config["max_position_embeddings"],
        "llama.rope.freq_base": float(config["rope_theta"]),
        "llama.rope.dimension_count": config["hidden_size"] // config["num_attention_heads"],
        "llama.attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
    }


def _tokenizer(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    metadata = json.loads((folder / "tokenizer.json").read_text())
    template = json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
    ids = metadata["model"]["vocab"] | {token["content"]: token["id"] for token in metadata["added_tokens"]}
    special = {token["content"] for token in metadata["added_tokens"] if token["special"]}
    tokens = sorted(ids, key=lambda token: ids[token])
    # Newer files have each merge as a pair, older ones as one text.
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in metadata["model"]["merges"]]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in special else 1 for token in tokens],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": config["bos_token_id"],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.chat_template": template,
    }
