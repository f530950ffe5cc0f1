"""Real models with random weights, under a megabyte: what most engine tests need.

Written with numpy and safetensors, so that no test process has to import mlx for it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|im_start|>",
    "<|im_end|>",
)
LLAMA_3 = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HIDDEN, FFN, LAYERS, HEADS, KV_HEADS = 64, 128, 2, 4, 2


def make_tokenizer(special: Sequence[str] = SPECIAL) -> Tokenizer:
    """A byte-level tokenizer: one token a byte, so every text can be written, and the special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def make_tiny_model(
    folder: Path,
    *,
    template: str = LLAMA_3,
    context: int = 2048,
    seed: int = 0,
    special: Sequence[str] = SPECIAL,
) -> Path:
    """Write a whole model folder of the llama kind; equal seeds give equal models.

    Its texts begin with the first of the special tokens, and the second ends them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    save_file(_weights(vocabulary, seed), str(folder / "model.safetensors"), metadata={"format": "mlx"})
    _write(folder / "config.json", _config(vocabulary, context, eos=tokenizer.get_vocab()[special[1]]))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": special[0],
            "eos_token": special[1],
            "chat_template": template,
        },
    )
    return folder


def never_ends(folder: Path) -> Path:
    """Silence the special tokens: their logits are 0, and a greedy answer never takes one."""
    weights = load_file(str(folder / "model.safetensors"))
    embeddings = weights["model.embed_tokens.weight"]
    embeddings[len(embeddings) - len(SPECIAL) :] = 0
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "mlx"})
    return folder


def _config(vocabulary: int, context: int, eos: int) -> dict[str, object]:
    return {
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": True,
        "eos_token_id": eos,
    }


def _weights(vocabulary: int, seed: int) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    random = np.random.default_rng(seed)
    kv = HIDDEN * KV_HEADS // HEADS
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens": (vocabulary, HIDDEN)}
    norms = ["model.norm"]
    for layer in (f"model.layers.{i}" for i in range(LAYERS)):
        shapes |= {
            f"{layer}.self_attn.q_proj": (HIDDEN, HIDDEN),
            f"{layer}.self_attn.k_proj": (kv, HIDDEN),
            f"{layer}.self_attn.v_proj": (kv, HIDDEN),
            f"{layer}.self_attn.o_proj": (HIDDEN, HIDDEN),
            f"{layer}.mlp.gate_proj": (FFN, HIDDEN),
            f"{layer}.mlp.up_proj": (FFN, HIDDEN),
            f"{layer}.mlp.down_proj": (HIDDEN, FFN),
        }
        norms += [f"{layer}.input_layernorm", f"{layer}.post_attention_layernorm"]
    drawn = {f"{name}.weight": random.standard_normal(shape) * 0.2 for name, shape in shapes.items()}
    ones = {f"{name}.weight": np.ones(HIDDEN) for name in norms}
    return {name: array.astype(np.float32) for name, array in (drawn | ones).items()}


def _write(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=1))
