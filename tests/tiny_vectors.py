"""Embedding models with random weights, and what their vectors must be, computed plainly with numpy."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import processors

from tests.tiny import make_tokenizer

SPECIAL = ("[CLS]", "[SEP]", "[PAD]")
HIDDEN, HEADS, LAYERS, FFN, LONGEST = 32, 4, 2, 64, 96
Floats = np.ndarray[Any, np.dtype[np.float32]]


def make_tiny_bert(folder: Path, *, mode: str = "mean_tokens", normalises: bool = True) -> Path:
    """A BERT with sentence-transformers' files, whose tokenizer was saved to cut and pad its texts."""
    tokenizer = make_tokenizer(SPECIAL)
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, ids[token]) for token in SPECIAL[:2]]
    )
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16, pad_id=ids["[PAD]"], pad_token="[PAD]")
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    _write(folder / "config.json", bert_config(vocabulary))
    save_file(bert_weights(vocabulary), str(folder / "model.safetensors"), metadata={"format": "pt"})
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "[CLS]", "sep_token": "[SEP]"},
    )
    _write_steps(folder, mode, normalises)
    return folder


def make_tiny_qwen3(folder: Path, *, seed: int = 0) -> Path:
    """A Qwen3-Embedding as its makers publish it: names without `model.`, the last token's state."""
    folder.mkdir(parents=True)
    tokenizer = make_tokenizer(("<|endoftext|>", "<|im_end|>"))
    end = tokenizer.get_vocab()["<|endoftext|>"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    _write(folder / "config.json", _qwen3_config(vocabulary, end))
    save_file(_qwen3_weights(vocabulary, seed), str(folder / "model.safetensors"), metadata={"format": "pt"})
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"},
    )
    _write_steps(folder, "lasttoken", normalises=True)
    return folder


def bert_vector(folder: Path, ids: Sequence[int]) -> Floats:
    """The mean of BERT's last states for one text, of length 1."""
    mean = bert_states(load_file(str(folder / "model.safetensors")), ids, [0] * len(ids)).mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def bert_states(
    weights: Mapping[str, Floats],
    ids: Sequence[int],
    segments: Sequence[int],
    *,
    first: int = 0,
    epsilon: float = 1e-12,
) -> Floats:
    """BERT's last states for one text, (tokens, hidden); https://arxiv.org/abs/1810.04805."""

    def linear(hidden: Floats, name: str) -> Floats:
        return linear_of(weights, hidden, name)

    def norm(hidden: Floats, name: str) -> Floats:
        centred = hidden - hidden.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        made: Floats = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return made

    tables = [weights[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")]
    words, positions = tables[0][list(ids)], tables[1][first : first + len(ids)]
    hidden = norm(words + positions + tables[2][list(segments)], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        heads = [
            linear(hidden, f"{at}.attention.self.{name}").reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for name in ("query", "key", "value")
        ]
        scores = heads[0] @ heads[1].swapaxes(1, 2) / math.sqrt(HIDDEN // HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (shares / shares.sum(-1, keepdims=True)) @ heads[2]
        seen = linear(seen.swapaxes(0, 1).reshape(len(ids), HIDDEN), f"{at}.attention.output.dense")
        hidden = norm(seen + hidden, f"{at}.attention.output.LayerNorm")
        inner = linear(hidden, f"{at}.intermediate.dense")
        inner = inner * np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))(inner)
        hidden = norm(linear(inner, f"{at}.output.dense") + hidden, f"{at}.output.LayerNorm")
    return hidden


def linear_of(weights: Mapping[str, Floats], hidden: Floats, name: str) -> Floats:
    """One linear layer of a model."""
    made: Floats = hidden @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return made


def _write_steps(folder: Path, mode: str, normalises: bool) -> None:
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalises else [])]
    paths = ["", "1_Pooling", "2_Normalize"]
    steps = [
        {"idx": place, "path": paths[place], "type": f"sentence_transformers.models.{kind}"}
        for place, kind in enumerate(kinds)
    ]
    (folder / "1_Pooling").mkdir()
    _write(folder / "modules.json", steps)
    _write(folder / "1_Pooling" / "config.json", {f"pooling_mode_{mode}": True})


def bert_config(vocabulary: int) -> dict[str, object]:
    return {
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": FFN,
        "max_position_embeddings": LONGEST,
    }


def bert_weights(vocabulary: int) -> dict[str, Floats]:
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, HIDDEN),
        "embeddings.position_embeddings.weight": (LONGEST, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.position_ids": (1, LONGEST),  # old files have it, and nothing needs it
        "pooler.dense.weight": (HIDDEN, HIDDEN),  # of another task
        "pooler.dense.bias": (HIDDEN,),
        **_norm("embeddings.LayerNorm"),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _linear(f"{at}.attention.{name}", HIDDEN, HIDDEN)
        shapes |= _linear(f"{at}.intermediate.dense", FFN, HIDDEN)
        shapes |= _linear(f"{at}.output.dense", HIDDEN, FFN)
        shapes |= _norm(f"{at}.attention.output.LayerNorm") | _norm(f"{at}.output.LayerNorm")
    return random_weights(shapes, 0)


def _qwen3_config(vocabulary: int, end: int) -> dict[str, object]:
    return {
        "model_type": "qwen3",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "intermediate_size": FFN,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "eos_token_id": end,
    }


def _qwen3_weights(vocabulary: int, seed: int) -> dict[str, Floats]:
    shapes: dict[str, tuple[int, ...]] = {
        "embed_tokens.weight": (vocabulary, HIDDEN),
        "norm.weight": (HIDDEN,),
    }
    for layer in range(LAYERS):
        at = f"layers.{layer}"
        attention = {"q": (32, HIDDEN), "k": (16, HIDDEN), "v": (16, HIDDEN), "o": (HIDDEN, 32)}
        shapes |= {f"{at}.self_attn.{name}_proj.weight": shape for name, shape in attention.items()}
        shapes |= {f"{at}.self_attn.{name}_norm.weight": (8,) for name in ("q", "k")}
        mlp = {"gate": (FFN, HIDDEN), "up": (FFN, HIDDEN), "down": (HIDDEN, FFN)}
        shapes |= {f"{at}.mlp.{name}_proj.weight": shape for name, shape in mlp.items()}
        shapes |= {f"{at}.{name}_layernorm.weight": (HIDDEN,) for name in ("input", "post_attention")}
    return random_weights(shapes, seed)


def _linear(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (HIDDEN,), f"{name}.bias": (HIDDEN,)}


def random_weights(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Floats]:
    draw = np.random.default_rng(seed)
    return {name: draw.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
