"""Qwen 2.5-VL, Qwen 3-VL and Qwen 3.5 with random weights, in the layout of Qwen's own folders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.tiny import make_tokenizer
from tests.tiny_vision import Weights

KINDS = ("qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe")
# Heads of 32 numbers can be quantised; of four layers Qwen 3.5's first and third are recurrent.
HIDDEN, FFN, HEADS, KV_HEADS, HEAD, LAYERS = 64, 96, 2, 1, 32, 4
EXPERTS, EXPERT_FFN = 4, 32
KEY_HEADS, VALUE_HEADS, KEY, VALUE, KERNEL = 2, 4, 32, 16, 4
VISION_HIDDEN, VISION_FFN, VISION_LAYERS, VISION_HEADS, SIDE = 32, 48, 3, 4, 6
DEEP = (0, 1)
MERGED, FRAMES = 2, 2
SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|image_pad|>", "<|video_pad|>"),
)
TEMPLATE = (  # Qwen 2.5-VL's, without videos
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
Config = dict[str, Any]
Shapes = dict[str, tuple[int, ...]]


def patch_of(kind: str) -> int:
    return 14 if kind == "qwen2_5_vl" else 16


def unit_of(kind: str) -> int:
    return patch_of(kind) * MERGED


def make_tiny_qwen(folder: Path, kind: str, *, context: int = 2048, seed: int = 0) -> Path:
    """Write a model folder of one of KINDS; a picture has 4 units at least and 36 at most."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    size, ids = tokenizer.get_vocab_size(), tokenizer.get_vocab()
    save_file(_weights(kind, size, seed), str(folder / "model.safetensors"), metadata={"format": "pt"})
    unit = unit_of(kind)
    rules: Config = {
        "patch_size": patch_of(kind),
        "temporal_patch_size": FRAMES,
        "merge_size": MERGED,
        "image_mean": [0.48145466, 0.4578275, 0.40821073] if kind == "qwen2_5_vl" else [0.5] * 3,
        "image_std": [0.26862954, 0.26130258, 0.27577711] if kind == "qwen2_5_vl" else [0.5] * 3,
    }
    if kind == "qwen2_5_vl":
        rules |= {"min_pixels": 4 * unit**2, "max_pixels": 36 * unit**2}
    else:
        rules |= {"size": {"shortest_edge": 4 * unit**2, "longest_edge": 36 * unit**2}}
    files: dict[str, Config] = {
        "config.json": _config(kind, size, context, ids),
        "preprocessor_config.json": rules,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "chat_template": TEMPLATE,
        },
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1))
    return folder


def _config(kind: str, vocabulary: int, context: int, ids: dict[str, int]) -> Config:
    outer: Config = {
        "model_type": kind,
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "eos_token_id": ids["<|im_end|>"],
        "tie_word_embeddings": False,
        "vision_config": _vision_config(kind),
    }
    text = _text_config(kind, vocabulary, context)
    return {**text, **outer} if kind == "qwen2_5_vl" else {**outer, "text_config": text}


def _text_config(kind: str, vocabulary: int, context: int) -> Config:
    text: Config = {
        "model_type": kind if kind == "qwen2_5_vl" else f"{kind}_text",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-6,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": False,
    }
    moe: Config = {"num_experts": EXPERTS, "num_experts_per_tok": 2, "moe_intermediate_size": EXPERT_FFN}
    if kind == "qwen2_5_vl":
        return text | {"rope_theta": 1e4, "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]}}
    if kind.startswith("qwen3_vl"):
        rope = {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True}
        text |= {"head_dim": HEAD, "rope_theta": 1e4, "rope_scaling": rope}
        moe |= {"decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True}
        return text | (moe if kind == "qwen3_vl_moe" else {})
    text |= {
        "head_dim": HEAD,
        "full_attention_interval": 2,
        "linear_num_value_heads": VALUE_HEADS,
        "linear_num_key_heads": KEY_HEADS,
        "linear_key_head_dim": KEY,
        "linear_value_head_dim": VALUE,
        "linear_conv_kernel_dim": KERNEL,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_interleaved": True,
            "mrope_section": [2, 1, 1],
            "rope_theta": 1e4,
            "partial_rotary_factor": 0.25,
        },
    }
    moe["shared_expert_intermediate_size"] = EXPERT_FFN
    return text | (moe if kind == "qwen3_5_moe" else {})


def _vision_config(kind: str) -> Config:
    vision: Config = {
        "depth": VISION_LAYERS,
        "hidden_size": VISION_HIDDEN,
        "intermediate_size": VISION_FFN,
        "num_heads": VISION_HEADS,
        "out_hidden_size": HIDDEN,
        "patch_size": patch_of(kind),
        "spatial_merge_size": MERGED,
        "temporal_patch_size": FRAMES,
    }
    if kind == "qwen2_5_vl":
        own = {"in_chans": 3, "window_size": 56, "fullatt_block_indexes": [1], "hidden_act": "silu"}
        return vision | {"model_type": kind} | own
    own = {"in_channels": 3, "num_position_embeddings": SIDE**2, "hidden_act": "gelu_pytorch_tanh"}
    deep = list(DEEP) if kind.startswith("qwen3_vl") else []
    return vision | {"model_type": kind, "deepstack_visual_indexes": deep} | own


def _weights(kind: str, vocabulary: int, seed: int) -> Weights:
    random = np.random.default_rng(seed)
    is_older = kind == "qwen2_5_vl"
    shapes: Shapes = {"lm_head.weight": (vocabulary, HIDDEN)}
    text = "model." if is_older else "model.language_model."
    shapes |= {f"{text}{name}": shape for name, shape in _text_shapes(kind, vocabulary).items()}
    vision = "visual." if is_older else "model.visual."
    shapes |= {f"{vision}{name}": shape for name, shape in _vision_shapes(kind).items()}
    made = {}
    for name, shape in shapes.items():
        made[name] = random.standard_normal(shape) * 0.2
        is_norm = "norm" in name.rsplit(".", 2)[1] or ".ln_q." in name
        # Qwen 3.5 publishes its norms without the 1, but for the one of its recurrent layers.
        if is_norm and name.endswith("weight"):
            is_around_zero = kind.startswith("qwen3_5") and "visual" not in name and "linear_attn" not in name
            made[name] += 0.0 if is_around_zero else 1.0
        if name.endswith(("A_log", "dt_bias")):
            made[name] = np.abs(made[name])
    return {name: array.astype(np.float32) for name, array in made.items()}


def _text_shapes(kind: str, vocabulary: int) -> Shapes:
    shapes: Shapes = {"embed_tokens.weight": (vocabulary, HIDDEN), "norm.weight": (HIDDEN,)}
    for number in range(LAYERS):
        layer = f"layers.{number}"
        norms = ("input_layernorm", "post_attention_layernorm")
        shapes |= {f"{layer}.{norm}.weight": (HIDDEN,) for norm in norms}
        is_recurrent = kind.startswith("qwen3_5") and number % 2 == 0
        shapes |= _recurrent_shapes(layer) if is_recurrent else _attention_shapes(layer, kind)
        shapes |= _mlp_shapes(f"{layer}.mlp", kind)
    return shapes


def _attention_shapes(layer: str, kind: str) -> Shapes:
    own = f"{layer}.self_attn"
    gates = 2 if kind.startswith("qwen3_5") else 1  # its queries have a gate each
    shapes: Shapes = {
        f"{own}.q_proj.weight": (HEADS * HEAD * gates, HIDDEN),
        f"{own}.k_proj.weight": (KV_HEADS * HEAD, HIDDEN),
        f"{own}.v_proj.weight": (KV_HEADS * HEAD, HIDDEN),
        f"{own}.o_proj.weight": (HIDDEN, HEADS * HEAD),
    }
    if kind == "qwen2_5_vl":
        return shapes | {f"{own}.{one}_proj.bias": shapes[f"{own}.{one}_proj.weight"][:1] for one in "qkv"}
    return shapes | {f"{own}.{one}_norm.weight": (HEAD,) for one in "qk"}


def _recurrent_shapes(layer: str) -> Shapes:
    own, keys, values = f"{layer}.linear_attn", KEY_HEADS * KEY, VALUE_HEADS * VALUE
    return {
        f"{own}.in_proj_qkv.weight": (2 * keys + values, HIDDEN),
        f"{own}.in_proj_z.weight": (values, HIDDEN),
        f"{own}.in_proj_b.weight": (VALUE_HEADS, HIDDEN),
        f"{own}.in_proj_a.weight": (VALUE_HEADS, HIDDEN),
        f"{own}.conv1d.weight": (2 * keys + values, 1, KERNEL),
        f"{own}.dt_bias": (VALUE_HEADS,),
        f"{own}.A_log": (VALUE_HEADS,),
        f"{own}.norm.weight": (VALUE,),
        f"{own}.out_proj.weight": (HIDDEN, values),
    }


def _mlp_shapes(own: str, kind: str) -> Shapes:
    if kind == "qwen3_vl_moe":  # its experts are the other way round
        return {
            f"{own}.gate.weight": (EXPERTS, HIDDEN),
            f"{own}.experts.gate_up_proj": (EXPERTS, HIDDEN, 2 * EXPERT_FFN),
            f"{own}.experts.down_proj": (EXPERTS, EXPERT_FFN, HIDDEN),
        }
    if kind != "qwen3_5_moe":
        return _swiglu_shapes(own, FFN)
    return {
        f"{own}.gate.weight": (EXPERTS, HIDDEN),
        f"{own}.experts.gate_up_proj": (EXPERTS, 2 * EXPERT_FFN, HIDDEN),
        f"{own}.experts.down_proj": (EXPERTS, HIDDEN, EXPERT_FFN),
        f"{own}.shared_expert_gate.weight": (1, HIDDEN),
        **_swiglu_shapes(f"{own}.shared_expert", EXPERT_FFN),
    }


def _swiglu_shapes(own: str, ffn: int) -> Shapes:
    shapes: Shapes = {f"{own}.{one}_proj.weight": (ffn, HIDDEN) for one in ("gate", "up")}
    return shapes | {f"{own}.down_proj.weight": (HIDDEN, ffn)}


def _vision_shapes(kind: str) -> Shapes:
    d, ffn, unit, patch = VISION_HIDDEN, VISION_FFN, VISION_HIDDEN * MERGED**2, patch_of(kind)
    is_older = kind == "qwen2_5_vl"
    layers: dict[str, tuple[int, int]] = {}  # (outputs, inputs) of those that have a bias
    norms: dict[str, int] = {}
    for own in (f"blocks.{number}" for number in range(VISION_LAYERS)):
        layers |= {f"{own}.attn.qkv": (3 * d, d), f"{own}.attn.proj": (d, d)}
        norms |= {f"{own}.norm1": d, f"{own}.norm2": d}
        if is_older:
            layers |= {f"{own}.mlp.{one}_proj": (ffn, d) for one in ("gate", "up")}
            layers[f"{own}.mlp.down_proj"] = (d, ffn)
        else:
            layers |= {f"{own}.mlp.linear_fc1": (ffn, d), f"{own}.mlp.linear_fc2": (d, ffn)}
    shapes: Shapes = {"patch_embed.proj.weight": (d, 3, FRAMES, patch, patch)}
    if is_older:
        norms["merger.ln_q"] = d
        layers |= {"merger.mlp.0": (unit, unit), "merger.mlp.2": (HIDDEN, unit)}
    else:
        shapes |= {"patch_embed.proj.bias": (d,), "pos_embed.weight": (SIDE**2, d)}
        deep = len(DEEP) if kind.startswith("qwen3_vl") else 0
        for own, size in (("merger", d), *((f"deepstack_merger_list.{n}", unit) for n in range(deep))):
            norms[f"{own}.norm"] = size
            layers |= {f"{own}.linear_fc1": (unit, unit), f"{own}.linear_fc2": (HIDDEN, unit)}
        shapes |= {f"{name}.bias": (size,) for name, size in norms.items()}
    shapes |= {f"{name}.weight": (size,) for name, size in norms.items()}
    shapes |= {f"{name}.weight": shape for name, shape in layers.items()}
    return shapes | {f"{name}.bias": shape[:1] for name, shape in layers.items()}
