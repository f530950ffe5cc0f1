"""GGUF to an MLX model folder, as a process: `python -m inference.worker.conversion SOURCE TARGET`.

MLX reads Q4_0, Q4_1 and Q8_0 straight into its own packed form, so nothing is quantised again. The source
has been checked by inference/sources/gguf.py; what is wrong with it here ends this process only. Standard
input is a pipe that the parent holds open.
"""

import argparse
import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

GROUP_SIZE = 32  # of every GGUF quantisation that MLX reads
_CONTROL, _USER_DEFINED = 3, 4  # GGUF's token types that are no ordinary vocabulary
_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_LLAMA_3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
Arrays = dict[str, mx.array]
Metadata = Mapping[str, Any]


def convert(source: Path, target: Path) -> None:
    """Write `source` as a model folder; raises ValueError naming what it cannot take."""
    loaded: Any = mx.load(str(source), format="gguf", return_metadata=True)
    arrays, metadata = loaded
    target.mkdir(parents=True, exist_ok=True)
    _refuse_unlike_llama(metadata)
    weights = _weights(arrays, metadata)
    _refuse_incomplete(weights, metadata)
    mx.save_safetensors(str(target / "model.safetensors"), weights, metadata={"format": "mlx"})
    tokenizer = _tokenizer(metadata)
    tokenizer.save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", _tokenizer_config(metadata))
    _write(
        target / "generation_config.json", {"eos_token_id": _number(metadata, "tokenizer.ggml.eos_token_id")}
    )
    # Last: a folder without config.json is not listed as a model.
    _write(target / "config.json", _config(metadata, weights))


def _refuse_unlike_llama(metadata: Metadata) -> None:
    """Some files say "llama" and turn their positions in ways that would be lost without a word."""
    scaling = metadata.get("llama.rope.scaling.type", "none")
    if scaling != "none":
        raise ValueError(f"its rotary scaling {scaling!r} is not supported")
    heads = _number(metadata, "llama.attention.head_count")
    if heads < 1 or _number(metadata, "llama.attention.head_count_kv", heads) < 1:
        raise ValueError("it has no attention heads")
    if _number(metadata, "llama.rope.dimension_count", _head_dim(metadata)) != _head_dim(metadata):
        raise ValueError("its rotary embedding covers a part of each head, which is not supported")


def _refuse_incomplete(weights: Arrays, metadata: Metadata) -> None:
    layers = {name.split(".")[2] for name in weights if name.startswith("model.layers.")}
    if len(layers) != _number(metadata, "llama.block_count"):
        raise ValueError("it does not hold all its layers")
    rows = weights["model.embed_tokens.weight"].shape[0] if "model.embed_tokens.weight" in weights else 0
    if rows != len(metadata.get("tokenizer.ggml.tokens", [])):
        raise ValueError("its vocabulary and its embedding are not of one size")


def _head_dim(metadata: Metadata) -> int:
    hidden, heads = (
        _number(metadata, f"llama.{key}") for key in ("embedding_length", "attention.head_count")
    )
    return _number(metadata, "llama.attention.key_length", hidden // heads)


def _weights(arrays: Arrays, metadata: Metadata) -> Arrays:
    heads = _number(metadata, "llama.attention.head_count")
    kv_heads = _number(metadata, "llama.attention.head_count_kv", heads)
    return {_name(key): _in_order(key, array, heads, kv_heads) for key, array in arrays.items()}


def _name(key: str) -> str:
    """blk.3.attn_q.weight -> model.layers.3.self_attn.q_proj.weight"""
    *block, layer, part = key.split(".")
    if layer not in _NAMES or part == "bias":
        raise ValueError(f"the tensor {key} has no place in a llama model")
    prefix = f"model.layers.{block[1]}." if block else ""
    return f"{prefix}{_NAMES[layer]}.{part}"


def _in_order(key: str, array: mx.array, heads: int, kv_heads: int) -> mx.array:
    """Undo GGUF's row order of q and k: it interleaves the halves that rotary embedding pairs up.

    Rows of packed weights, scales and biases move together, so quantised tensors need no unpacking.
    """
    count = heads if ".attn_q." in key else kv_heads if ".attn_k." in key else 0
    if not count:
        return array
    rows, *rest = array.shape
    return array.reshape(count, rows // count // 2, 2, *rest).swapaxes(1, 2).reshape(rows, *rest)


def _config(metadata: Metadata, weights: Arrays) -> dict[str, Any]:
    heads = _number(metadata, "llama.attention.head_count")
    config: dict[str, Any] = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": _number(metadata, "llama.embedding_length"),
        "intermediate_size": _number(metadata, "llama.feed_forward_length"),
        "num_hidden_layers": _number(metadata, "llama.block_count"),
        "num_attention_heads": heads,
        "head_dim": _head_dim(metadata),
        "num_key_value_heads": _number(metadata, "llama.attention.head_count_kv", heads),
        "max_position_embeddings": _number(metadata, "llama.context_length"),
        "rms_norm_eps": _real(metadata, "llama.attention.layer_norm_rms_epsilon", 1e-5),
        "rope_theta": _real(metadata, "llama.rope.freq_base", 10000.0),
        "vocab_size": len(metadata["tokenizer.ggml.tokens"]),
        "tie_word_embeddings": "lm_head.weight" not in weights,
        "bos_token_id": _number(metadata, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": _number(metadata, "tokenizer.ggml.eos_token_id"),
    }
    if bits := _bits(weights):
        usual = max(set(bits.values()), key=list(bits.values()).count)
        own = {layer: {"group_size": GROUP_SIZE, "bits": b} for layer, b in bits.items() if b != usual}
        config["quantization"] = {"group_size": GROUP_SIZE, "bits": usual, **own}
    return config


def _bits(weights: Arrays) -> dict[str, int]:
    """Bits of each quantised layer: a word holds 32 / bits items, and a scale covers 32 of them."""
    layers = [name.removesuffix(".scales") for name in weights if name.endswith(".scales")]
    return {
        layer: weights[f"{layer}.weight"].shape[-1] // weights[f"{layer}.scales"].shape[-1]
        for layer in layers
    }


def _tokenizer(metadata: Metadata) -> Tokenizer:
    if metadata.get("tokenizer.ggml.model") != "gpt2":
        raise ValueError(f"the tokenizer kind {metadata.get('tokenizer.ggml.model')!r} is not supported")
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    if "tokenizer.ggml.merges" not in metadata or "tokenizer.ggml.token_type" not in metadata:
        raise ValueError("its tokenizer is not complete")
    merges = [tuple(pair.split(" ", 1)) for pair in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = _pre_tokenizer(str(metadata.get("tokenizer.ggml.pre", "gpt-2")))
    tokenizer.decoder = decoders.ByteLevel()
    types = metadata["tokenizer.ggml.token_type"].tolist()
    tokenizer.add_special_tokens([_added(tokens[i], special=True) for i in _of_type(types, _CONTROL)])
    tokenizer.add_tokens([_added(tokens[i], special=False) for i in _of_type(types, _USER_DEFINED)])
    if _adds_bos(metadata):
        bos = _number(metadata, "tokenizer.ggml.bos_token_id")
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{tokens[bos]} $A", special_tokens=[(tokens[bos], bos)]
        )
    return tokenizer


def _pre_tokenizer(kind: str) -> pre_tokenizers.PreTokenizer:
    """How text is cut into words before merging, by llama.cpp's name for it."""
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    gpt_2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    match kind:
        case "smollm":
            return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt_2])
        case "gpt-2" | "gpt2":
            return gpt_2
        case "llama-bpe" | "llama3":
            words = pre_tokenizers.Split(Regex(_LLAMA_3_WORDS), behavior="isolated")
            return pre_tokenizers.Sequence([words, bytes_only])
    raise ValueError(f"the tokenizer's way of cutting words, {kind!r}, is not supported")


def _tokenizer_config(metadata: Metadata) -> dict[str, Any]:
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": _number(metadata, "llama.context_length"),
    }
    for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        if f"tokenizer.ggml.{key}_token_id" in metadata:
            config[f"{role}_token"] = tokens[_number(metadata, f"tokenizer.ggml.{key}_token_id")]
    if template := metadata.get("tokenizer.chat_template"):
        config["chat_template"] = template
    return config


def _added(token: str, *, special: bool) -> AddedToken:
    return AddedToken(token, special=special, normalized=False)


def _of_type(types: Iterable[int], wanted: int) -> list[int]:
    return [i for i, kind in enumerate(types) if kind == wanted]


def _adds_bos(metadata: Metadata) -> bool:
    value = metadata.get("tokenizer.ggml.add_bos_token")
    return value is not None and bool(value.item())


def _number(metadata: Metadata, key: str, default: int | None = None) -> int:
    if key not in metadata and default is not None:
        return default
    if key not in metadata:
        raise ValueError(f"the file does not say its {key}")
    return int(metadata[key].item())


def _real(metadata: Metadata, key: str, default: float) -> float:
    # Through its shortest spelling: the float32 nearest to 1e-5 is not 1e-5 as a float64.
    return float(f"{metadata[key].item():.7g}") if key in metadata else default


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.conversion")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    mx.set_default_device(mx.cpu)
    try:
        convert(arguments.source, arguments.target)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    except Exception as error:  # of MLX or tokenizers, about paths and internals
        raise SystemExit(f"its parts do not fit together ({type(error).__name__})") from error


def _end_with_the_parent() -> None:
    """The parent holds the other end of standard input and never writes to it."""
    # Not sys.stdin: its lock, held here, would be waited for at exit.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
