"""SmolVLM and Idefics 3 with random weights, in the layout of mlx-vlm's folders."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.tiny import FFN, HEADS, HIDDEN, KV_HEADS, LAYERS, make_tokenizer
from tests.tiny_vision import Weights

TILE, PATCH, SCALE = 48, 8, 2
OF_TILE = (TILE // PATCH // SCALE) ** 2
LONGEST = 4 * TILE
SPECIAL = (
    *("<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"),
    *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)),
)
TEMPLATE = (  # SmolVLM2's: a content that is a text is left out
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
VISION_HIDDEN, VISION_FFN, VISION_LAYERS = 32, 48, 2


def make_tiny_smolvlm(
    folder: Path, *, kind: str = "smolvlm", context: int = 2048, splits: bool = True, seed: int = 0
) -> Path:
    """Write a model folder of the kind `smolvlm` or `idefics3`; a picture has 16 tiles and one at most."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    size, ids = tokenizer.get_vocab_size(), tokenizer.get_vocab()
    save_file(_weights(size, seed), str(folder / "model.safetensors"), metadata={"format": "mlx"})
    files: dict[str, dict[str, object]] = {
        "config.json": _config(kind, size, context, ids),
        "preprocessor_config.json": {
            "size": {"longest_edge": LONGEST},
            "max_image_size": {"longest_edge": TILE},
            "do_image_splitting": splits,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": SPECIAL[0],
            "eos_token": SPECIAL[1],
            "chat_template": TEMPLATE,
        },
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1))
    return folder


def _config(kind: str, vocabulary: int, context: int, ids: dict[str, int]) -> dict[str, object]:
    return {
        "model_type": kind,
        "eos_token_id": ids["<end_of_utterance>"],
        "image_token_id": ids["<image>"],
        "scale_factor": SCALE,
        "vocab_size": vocabulary,
        "tie_word_embeddings": False,
        "text_config": {
            "model_type": "llama",
            "hidden_size": HIDDEN,
            "head_dim": HIDDEN // HEADS,
            "intermediate_size": FFN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "vocab_size": vocabulary,
            "max_position_embeddings": context,
        },
        "vision_config": {
            "model_type": "idefics3_vision" if kind == "idefics3" else "smolvlm_vision",
            "hidden_size": VISION_HIDDEN,
            "intermediate_size": VISION_FFN,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": 4,
            "image_size": TILE,
            "patch_size": PATCH,
        },
    }


def _weights(vocabulary: int, seed: int) -> Weights:
    random = np.random.default_rng(seed)
    kv, d = HIDDEN * KV_HEADS // HEADS, VISION_HIDDEN
    text, vision = "language_model", "vision_model"
    shapes: dict[str, tuple[int, ...]] = {
        f"{text}.embed_tokens.weight": (vocabulary, HIDDEN),
        f"{text}.lm_head.weight": (vocabulary, HIDDEN),
        f"{vision}.embeddings.patch_embedding.weight": (d, PATCH, PATCH, 3),
        f"{vision}.embeddings.patch_embedding.bias": (d,),
        f"{vision}.embeddings.position_embedding.weight": ((TILE // PATCH) ** 2, d),
        "connector.modality_projection.proj.weight": (HIDDEN, d * SCALE**2),
    }
    ones = {f"{text}.norm.weight": HIDDEN, f"{vision}.post_layernorm.weight": d}
    for layer in (f"{text}.layers.{i}" for i in range(LAYERS)):
        shapes |= {f"{layer}.self_attn.{one}_proj.weight": (HIDDEN, HIDDEN) for one in "qo"}
        shapes |= {f"{layer}.self_attn.{one}_proj.weight": (kv, HIDDEN) for one in "kv"}
        shapes |= {f"{layer}.mlp.{one}_proj.weight": (FFN, HIDDEN) for one in ("gate", "up")}
        shapes |= {f"{layer}.mlp.down_proj.weight": (HIDDEN, FFN)}
        ones |= {f"{layer}.{norm}.weight": HIDDEN for norm in ("input_layernorm", "post_attention_layernorm")}
    for layer in (f"{vision}.encoder.layers.{i}" for i in range(VISION_LAYERS)):
        for one in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {f"{layer}.self_attn.{one}.weight": (d, d), f"{layer}.self_attn.{one}.bias": (d,)}
        shapes |= {f"{layer}.mlp.fc1.weight": (VISION_FFN, d), f"{layer}.mlp.fc1.bias": (VISION_FFN,)}
        shapes |= {f"{layer}.mlp.fc2.weight": (d, VISION_FFN), f"{layer}.mlp.fc2.bias": (d,)}
        ones |= {f"{layer}.layer_norm{number}.weight": d for number in (1, 2)}
        shapes |= {f"{layer}.layer_norm{number}.bias": (d,) for number in (1, 2)}
    shapes[f"{vision}.post_layernorm.bias"] = (d,)
    made = {name: random.standard_normal(shape) * 0.2 for name, shape in shapes.items()}
    made |= {name: np.ones(size) for name, size in ones.items()}
    return {name: array.astype(np.float32) for name, array in made.items()}
