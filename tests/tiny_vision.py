"""Vision models with random weights, in the layout of mlx-vlm's folders: what a picture's tests need.

Written with numpy and safetensors, as tests/tiny.py is.
"""

import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from inference.core.requests import Picture
from tests.tiny import FFN, HEADS, HIDDEN, KV_HEADS, LAYERS, make_tokenizer

NEEDS_MLX_VLM = pytest.mark.skipif(
    not find_spec("mlx_vlm"), reason="PICTURES NOT TRIED: `pip install --no-deps mlx-vlm` brings the towers"
)
SPECIAL = ("<s>", "</s>", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]")
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ message['content'] }}</s>{% else %}[INST]"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% else %}[IMG]{% endif %}{% endfor %}{% endif %}[/INST]{% endif %}{% endfor %}"
)
PATCH, MERGED, VISION_HIDDEN, VISION_FFN, VISION_LAYERS = 14, 2, 32, 48, 2
UNIT = PATCH * MERGED
Weights = dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]
LONGEST = 8 * UNIT


def make_tiny_pixtral(folder: Path, *, kind: str = "mistral3", context: int = 2048, seed: int = 0) -> Path:
    """Write a model folder of the kind `mistral3` or `pixtral`; a picture has 8 x 8 units at most.

    A picture changes the text that follows it as much as a text would.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    size, ids = tokenizer.get_vocab_size(), tokenizer.get_vocab()
    save_file(_weights(kind, size, seed), str(folder / "model.safetensors"), metadata={"format": "mlx"})
    _write(folder / "config.json", _config(kind, size, context, ids))
    rules: dict[str, object] = {
        "size": {"longest_edge": LONGEST},
        "patch_size": {"height": PATCH, "width": PATCH},
    }
    _write(folder / "preprocessor_config.json", rules)
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": SPECIAL[0],
            "eos_token": SPECIAL[1],
            "chat_template": TEMPLATE,
        },
    )
    return folder


def drawn(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of coarse coloured squares."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def picture(image: Image.Image, kind: str = "PNG", **options: Any) -> Picture:
    """It as a request has it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Picture(
        data=file.getvalue(), media_type=f"image/{kind.lower()}", width=image.width, height=image.height
    )


def _config(kind: str, vocabulary: int, context: int, ids: dict[str, int]) -> dict[str, object]:
    return {
        "model_type": kind,
        "eos_token_id": ids["</s>"],
        "image_token_index": ids["[IMG]"],
        "spatial_merge_size": MERGED,
        "vision_feature_layer": -1,
        "vocab_size": vocabulary,
        "text_config": {
            "model_type": "mistral",
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
            "tie_word_embeddings": False,
        },
        "vision_config": {
            "model_type": "pixtral",
            "hidden_size": VISION_HIDDEN,
            "head_dim": 8,
            "intermediate_size": VISION_FFN,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": 4,
            "image_size": LONGEST,
            "patch_size": PATCH,
            "num_channels": 3,
            "rope_theta": 10000.0,
        },
    }


def _weights(kind: str, vocabulary: int, seed: int) -> Weights:
    random = np.random.default_rng(seed)
    shapes, ones = _text_shapes(vocabulary)
    vision_shapes, vision_ones = _vision_shapes(kind)
    made = {name: random.standard_normal(shape) * 0.2 for name, shape in (shapes | vision_shapes).items()}
    made |= {name: np.ones(size) for name, size in (ones | vision_ones).items()}
    return {name: array.astype(np.float32) for name, array in made.items()}


def _text_shapes(vocabulary: int) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    kv = HIDDEN * KV_HEADS // HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "language_model.model.embed_tokens.weight": (vocabulary, HIDDEN),
        "language_model.lm_head.weight": (vocabulary, HIDDEN),
    }
    ones = {"language_model.model.norm.weight": HIDDEN}
    for layer in (f"language_model.model.layers.{i}" for i in range(LAYERS)):
        shapes |= {
            f"{layer}.self_attn.q_proj.weight": (HIDDEN, HIDDEN),
            f"{layer}.self_attn.k_proj.weight": (kv, HIDDEN),
            f"{layer}.self_attn.v_proj.weight": (kv, HIDDEN),
            f"{layer}.self_attn.o_proj.weight": (HIDDEN, HIDDEN),
            f"{layer}.mlp.gate_proj.weight": (FFN, HIDDEN),
            f"{layer}.mlp.up_proj.weight": (FFN, HIDDEN),
            f"{layer}.mlp.down_proj.weight": (HIDDEN, FFN),
        }
        ones |= {f"{layer}.{norm}.weight": HIDDEN for norm in ("input_layernorm", "post_attention_layernorm")}
    return shapes, ones


def _vision_shapes(kind: str) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    d, ffn, encoder = VISION_HIDDEN, VISION_FFN, "vision_tower.vision_model"
    shapes: dict[str, tuple[int, ...]] = {f"{encoder}.patch_conv.weight": (d, PATCH, PATCH, 3)}
    ones = {f"{encoder}.ln_pre.weight": d}
    for layer in (f"{encoder}.transformer.layers.{i}" for i in range(VISION_LAYERS)):
        shapes |= {f"{layer}.attention.{one}_proj.weight": (d, d) for one in "qkvo"}
        shapes |= {f"{layer}.feed_forward.{one}_proj.weight": (ffn, d) for one in ("gate", "up")}
        shapes |= {f"{layer}.feed_forward.down_proj.weight": (d, ffn)}
        ones |= {f"{layer}.{norm}.weight": d for norm in ("attention_norm", "ffn_norm")}
    projector = "multi_modal_projector"
    shapes |= {f"{projector}.linear_1.weight": (HIDDEN, d), f"{projector}.linear_2.weight": (HIDDEN, HIDDEN)}
    if kind == "mistral3":
        shapes[f"{projector}.patch_merger.merging_layer.weight"] = (d, d * MERGED**2)
        ones[f"{projector}.norm.weight"] = d
    else:
        shapes |= {f"{projector}.linear_{number}.bias": (HIDDEN,) for number in (1, 2)}
    return shapes, ones


def _write(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=1))
