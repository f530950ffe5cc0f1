"""A real model each of whose tokens decides the next one.

One layer adds nothing: its attention and its feed-forward weights are zero. So the hidden state is the last
token's embedding, for which the output matrix has the logits of the next. A token that is followed by
nothing in particular is followed by the end.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

_HEADS = 4
_NEXT, _ENDING = 60.0, 20.0  # logits; all others are 0


def write_chained_model(
    folder: Path,
    tokenizer: Tokenizer,
    chains: Sequence[Sequence[int]],
    *,
    template: str,
    context: int,
    end: str,
) -> Path:
    """Write a model's folder; in each of `chains`, a token is followed by the next one."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    end_id = tokenizer.get_vocab()[end]
    steps = dict(pair for chain in chains for pair in zip(chain, chain[1:], strict=False))
    weights = _weights(tokenizer.get_vocab_size(), steps, end_id)
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "mlx"})
    config = _config(tokenizer.get_vocab_size(), _hidden(steps), context, end_id)
    details = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "chat_template": template}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps(details))
    return folder


def _hidden(steps: dict[int, int]) -> int:
    """The hidden size: one dimension for each step and one for all other tokens, in heads of 16."""
    return -(-(len(steps) + 1) // (16 * _HEADS)) * 16 * _HEADS


def _weights(vocabulary: int, steps: dict[int, int], end: int) -> dict[str, Any]:
    hidden = _hidden(steps)
    embeddings = np.zeros((vocabulary, hidden), dtype=np.float32)
    head = np.zeros((vocabulary, hidden), dtype=np.float32)
    embeddings[:, -1] = 1
    head[end, :] = _ENDING
    for dimension, (token, following) in enumerate(steps.items()):
        embeddings[token] = np.eye(hidden, dtype=np.float32)[dimension]
        head[following, dimension] = _NEXT
    layer = "model.layers.0"
    zeros = [f"{layer}.self_attn.{name}_proj.weight" for name in "qkvo"]
    zeros += [f"{layer}.mlp.{name}_proj.weight" for name in ("gate", "up", "down")]
    norms = ["model.norm", f"{layer}.input_layernorm", f"{layer}.post_attention_layernorm"]
    # The norm of a hidden state with a single 1 multiplies it by the root of its size.
    return (
        {name: np.zeros((hidden, hidden), dtype=np.float32) for name in zeros}
        | {f"{name}.weight": np.ones(hidden, dtype=np.float32) for name in norms}
        | {"model.embed_tokens.weight": embeddings, "lm_head.weight": head / np.float32(np.sqrt(hidden))}
    )


def _config(vocabulary: int, hidden: int, context: int, end: int) -> dict[str, object]:
    return {
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": hidden,
        "num_hidden_layers": 1,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _HEADS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": False,
        "eos_token_id": end,
    }
