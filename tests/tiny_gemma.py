"""Gemma 3 and Gemma 4 with random weights, in the layout of the folders that Google has published."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.tiny import make_tokenizer
from tests.tiny_vision import Weights

HIDDEN, FFN, HEADS, HEAD, VISION_HIDDEN, VISION_FFN, VISION_LAYERS = 96, 64, 4, 16, 32, 48, 2
LAYERS_OF_3, PATCH_OF_3, SIZE_OF_3, TOKENS_OF_3, WINDOW_OF_3 = 4, 7, 56, 16, 40
LAYERS_OF_4, PATCH_OF_4, POOLED_OF_4, TOKENS_OF_4 = 6, 4, 3, 70
WINDOW_OF_4 = 40  # smaller than a picture
WINDOWS_OF_4 = ["sliding_attention", "sliding_attention", "full_attention"] * 2
SPECIAL_OF_3 = (
    *("<bos>", "<end_of_turn>", "<start_of_turn>", "<start_of_image>", "<image_soft_token>"),
    "<end_of_image>",
)
SPECIAL_OF_4 = ("<bos>", "<turn|>", "<|turn>", "<|image>", "<|image|>", "<image|>")
_TURNS = (
    "{{{{ bos_token }}}}{{% for message in messages %}}{begin}"
    "{{{{ 'model' if message['role'] == 'assistant' else message['role'] }}}}\n"
    "{{% if message['content'] is string %}}{{{{ message['content'] | trim }}}}{{% else %}}"
    "{{% for item in message['content'] %}}{{% if item['type'] == 'image' %}}{picture}"
    "{{% elif item['type'] == 'text' %}}{{{{ item['text'] | trim }}}}{{% endif %}}{{% endfor %}}{{% endif %}}"
    "{end}\n{{% endfor %}}{{% if add_generation_prompt %}}{begin}model\n{{% endif %}}"
)
TEMPLATE_OF_3 = _TURNS.format(begin="<start_of_turn>", picture="<start_of_image>", end="<end_of_turn>")
TEMPLATE_OF_4 = _TURNS.format(begin="<|turn>", picture="<|image|>", end="<turn|>")
Shapes = dict[str, tuple[int, ...]]


def make_tiny_gemma3(folder: Path, *, context: int = 2048, seed: int = 0) -> Path:
    """Write a model folder; a picture has 16 tokens."""
    ids = make_tokenizer(SPECIAL_OF_3).get_vocab()
    shapes = _text_of_3(len(ids)) | _vision_of_3()
    config = {
        "model_type": "gemma3",
        "eos_token_id": [ids["<end_of_turn>"]],
        "image_token_index": ids["<image_soft_token>"],
        "mm_tokens_per_image": TOKENS_OF_3,
        "vocab_size": len(ids),
        "text_config": {
            "model_type": "gemma3_text",
            "hidden_size": HIDDEN,
            "head_dim": HEAD,
            "intermediate_size": FFN,
            "num_hidden_layers": LAYERS_OF_3,
            "num_attention_heads": HEADS,
            "num_key_value_heads": 2,
            "query_pre_attn_scalar": HEAD,
            "rms_norm_eps": 1e-6,
            "sliding_window": WINDOW_OF_3,
            "sliding_window_pattern": 2,
            "max_position_embeddings": context,
            "vocab_size": len(ids),
        },
        "vision_config": {
            "model_type": "siglip_vision_model",
            "hidden_size": VISION_HIDDEN,
            "intermediate_size": VISION_FFN,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": 4,
            "image_size": SIZE_OF_3,
            "patch_size": PATCH_OF_3,
        },
    }
    rules = {
        "do_pan_and_scan": None,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": SIZE_OF_3, "width": SIZE_OF_3},
    }
    marks = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": SPECIAL_OF_3[4]}
    # Its norms multiply by 1 + weight.
    return _written(folder, config, rules, shapes, TEMPLATE_OF_3, SPECIAL_OF_3, marks, seed, norm=0.0)


def make_tiny_gemma4(folder: Path, *, is_large: bool = False, context: int = 2048, seed: int = 0) -> Path:
    """Write a model folder of the kind of E2B, or of the large ones that see both ways in windows."""
    ids = make_tokenizer(SPECIAL_OF_4).get_vocab()
    shapes = _text_of_4(len(ids), is_large) | _vision_of_4(is_large)
    config = {
        "model_type": "gemma4",
        "eos_token_id": [ids["<turn|>"]],
        "image_token_id": ids["<|image|>"],
        "audio_token_id": len(ids) + 1,  # of its own in real folders
        "audio_config": None,
        "vision_soft_tokens_per_image": TOKENS_OF_4,
        "vocab_size": len(ids),
        "text_config": {
            "model_type": "gemma4_text",
            "hidden_size": HIDDEN,
            "head_dim": HEAD,
            "global_head_dim": 2 * HEAD,
            "intermediate_size": FFN,
            "num_hidden_layers": LAYERS_OF_4,
            "num_attention_heads": HEADS,
            "num_key_value_heads": 2,
            "num_global_key_value_heads": 1 if is_large else None,
            "attention_k_eq_v": is_large,
            "num_kv_shared_layers": 0 if is_large else 2,
            "use_double_wide_mlp": not is_large,
            "hidden_size_per_layer_input": 0 if is_large else 8,
            "vocab_size_per_layer_input": len(ids),
            "use_bidirectional_attention": "vision" if is_large else None,
            "layer_types": WINDOWS_OF_4,
            "sliding_window": WINDOW_OF_4,
            "rms_norm_eps": 1e-6,
            "final_logit_softcapping": 30.0,
            "tie_word_embeddings": True,
            "max_position_embeddings": context,
            "vocab_size": len(ids),
            "pad_token_id": 0,
            "rope_parameters": {
                "full_attention": {
                    "partial_rotary_factor": 0.25,
                    "rope_theta": 1000000.0,
                    "rope_type": "proportional",
                },
                "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
            },
        },
        "vision_config": {
            "model_type": "gemma4_vision",
            "hidden_size": VISION_HIDDEN,
            "intermediate_size": VISION_FFN,
            "num_hidden_layers": VISION_LAYERS,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": HEAD,
            "patch_size": PATCH_OF_4,
            "pooling_kernel_size": POOLED_OF_4,
            "position_embedding_size": 256,
            "default_output_length": TOKENS_OF_4,
            "rope_parameters": {"rope_theta": 100.0, "rope_type": "default"},
            "standardize": is_large,
            "use_clipped_linears": not is_large,
        },
    }
    rules = {"max_soft_tokens": TOKENS_OF_4, "patch_size": PATCH_OF_4, "pooling_kernel_size": POOLED_OF_4}
    marks = {"boi_token": "<|image>", "eoi_token": "<image|>", "image_token": "<|image|>"}
    return _written(folder, config, rules, shapes, TEMPLATE_OF_4, SPECIAL_OF_4, marks, seed, norm=1.0)


def _text_of_3(vocabulary: int) -> Shapes:
    model = "language_model.model"
    shapes: Shapes = {f"{model}.embed_tokens.weight": (vocabulary, HIDDEN), f"{model}.norm.weight": (HIDDEN,)}
    for layer in (f"{model}.layers.{number}" for number in range(LAYERS_OF_3)):
        shapes |= _text_layer(layer, HEAD, kv_heads=2, ffn=FFN)
    return shapes


def _text_of_4(vocabulary: int, is_large: bool) -> Shapes:
    model = "model.language_model"
    shapes: Shapes = {f"{model}.embed_tokens.weight": (vocabulary, HIDDEN), f"{model}.norm.weight": (HIDDEN,)}
    for number, kind in enumerate(WINDOWS_OF_4):
        layer, is_full = f"{model}.layers.{number}", kind == "full_attention"
        is_shared = not is_large and number >= LAYERS_OF_4 - 2
        kv_heads = 1 if is_large and is_full else 2
        made = _text_layer(layer, HEAD * (1 + is_full), kv_heads=kv_heads, ffn=FFN * (1 + is_shared))
        absent = ["v_proj"] if is_large and is_full else ["k_proj", "v_proj", "k_norm"] if is_shared else []
        shapes |= {name: shape for name, shape in made.items() if not any(one in name for one in absent)}
        shapes[f"{layer}.layer_scalar"] = (1,)
        if not is_large:
            shapes |= {
                f"{layer}.per_layer_input_gate.weight": (8, HIDDEN),
                f"{layer}.per_layer_projection.weight": (HIDDEN, 8),
                f"{layer}.post_per_layer_input_norm.weight": (HIDDEN,),
            }
    if not is_large:
        shapes |= {
            f"{model}.embed_tokens_per_layer.weight": (vocabulary, 8 * LAYERS_OF_4),
            f"{model}.per_layer_model_projection.weight": (8 * LAYERS_OF_4, HIDDEN),
            f"{model}.per_layer_projection_norm.weight": (8,),
        }
    return shapes


def _text_layer(layer: str, head: int, *, kv_heads: int, ffn: int) -> Shapes:
    norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
    return {
        f"{layer}.self_attn.q_proj.weight": (HEADS * head, HIDDEN),
        f"{layer}.self_attn.k_proj.weight": (kv_heads * head, HIDDEN),
        f"{layer}.self_attn.v_proj.weight": (kv_heads * head, HIDDEN),
        f"{layer}.self_attn.o_proj.weight": (HIDDEN, HEADS * head),
        f"{layer}.self_attn.q_norm.weight": (head,),
        f"{layer}.self_attn.k_norm.weight": (head,),
        f"{layer}.mlp.gate_proj.weight": (ffn, HIDDEN),
        f"{layer}.mlp.up_proj.weight": (ffn, HIDDEN),
        f"{layer}.mlp.down_proj.weight": (HIDDEN, ffn),
        **{f"{layer}.{norm}_layernorm.weight": (HIDDEN,) for norm in norms},
    }


def _vision_of_3() -> Shapes:
    d, model = VISION_HIDDEN, "vision_tower.vision_model"
    shapes: Shapes = {
        f"{model}.embeddings.patch_embedding.weight": (d, 3, PATCH_OF_3, PATCH_OF_3),
        f"{model}.embeddings.patch_embedding.bias": (d,),
        f"{model}.embeddings.position_embedding.weight": ((SIZE_OF_3 // PATCH_OF_3) ** 2, d),
        f"{model}.post_layernorm.weight": (d,),
        f"{model}.post_layernorm.bias": (d,),
        "multi_modal_projector.mm_input_projection_weight": (d, HIDDEN),
        "multi_modal_projector.mm_soft_emb_norm.weight": (d,),
    }
    for layer in (f"{model}.encoder.layers.{number}" for number in range(VISION_LAYERS)):
        for one in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {f"{layer}.self_attn.{one}.weight": (d, d), f"{layer}.self_attn.{one}.bias": (d,)}
        shapes |= {f"{layer}.mlp.fc1.weight": (VISION_FFN, d), f"{layer}.mlp.fc1.bias": (VISION_FFN,)}
        shapes |= {f"{layer}.mlp.fc2.weight": (d, VISION_FFN), f"{layer}.mlp.fc2.bias": (d,)}
        shapes |= {f"{layer}.layer_norm{n}.{part}": (d,) for n in (1, 2) for part in ("weight", "bias")}
    return shapes


def _vision_of_4(is_large: bool) -> Shapes:
    d, model = VISION_HIDDEN, "model.vision_tower"
    shapes: Shapes = {
        f"{model}.patch_embedder.input_proj.weight": (d, 3 * PATCH_OF_4**2),
        f"{model}.patch_embedder.position_embedding_table": (2, 256, d),
        "model.embed_vision.embedding_projection.weight": (HIDDEN, d),
    }
    for layer in (f"{model}.encoder.layers.{number}" for number in range(VISION_LAYERS)):
        linear: Shapes = {f"{layer}.self_attn.{one}_proj": (d, d) for one in "qkvo"}
        linear |= {f"{layer}.mlp.{one}_proj": (VISION_FFN, d) for one in ("gate", "up")}
        linear |= {f"{layer}.mlp.down_proj": (d, VISION_FFN)}
        shapes |= {f"{name}.linear.weight": shape for name, shape in linear.items()}
        norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
        shapes |= {f"{layer}.{norm}_layernorm.weight": (d,) for norm in norms}
        shapes |= {f"{layer}.self_attn.{one}_norm.weight": (HEAD,) for one in "qk"}
        bounds = ("input_min", "input_max", "output_min", "output_max") if not is_large else ()
        shapes |= {f"{name}.{bound}": () for name in linear for bound in bounds}
    if is_large:
        shapes |= {f"{model}.std_bias": (d,), f"{model}.std_scale": (d,)}
    return shapes


def _weights(shapes: Shapes, seed: int, norm: float) -> Weights:
    """Random ones; norms are near `norm`, and the bounds of clipped layers cut some numbers off."""
    random = np.random.default_rng(seed)
    made: dict[str, Any] = {name: random.standard_normal(shape) * 0.2 for name, shape in shapes.items()}
    for name in made:
        if "norm" in name and name.endswith("weight"):
            is_plain = "vision_tower.vision_model" in name  # SigLIP's, of any model
            made[name] += 1.0 if is_plain else norm
        elif name.endswith("embed_tokens.weight"):
            made[name] *= 0.1  # so that an answer is more than the last token again
        elif name.endswith(("layer_scalar", "std_scale")):
            made[name] += 1.0
        elif name.endswith(("_min", "_max")):
            made[name] = np.array(-0.8 if name.endswith("_min") else 0.8)
    return {name: np.asarray(array, np.float32) for name, array in made.items()}


def _written(
    folder: Path,
    config: dict[str, Any],
    rules: dict[str, Any],
    shapes: Shapes,
    template: str,
    special: tuple[str, ...],
    marks: dict[str, str],
    seed: int,
    norm: float,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer(special).save(str(folder / "tokenizer.json"))
    weights = _weights(shapes, seed, norm)
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    files: dict[str, dict[str, Any]] = {
        "config.json": config,
        "preprocessor_config.json": rules,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": special[0],
            "eos_token": special[1],
            "extra_special_tokens": marks,
            "chat_template": template,
        },
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1))
    return folder
