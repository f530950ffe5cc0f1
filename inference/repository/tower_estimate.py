"""How much memory a vision model takes for a moment to look at one picture, guessed from its config.json.

As all estimates of memory it errs upwards.
"""

from collections.abc import Mapping
from typing import Any

from inference.repository.files.vision import Vision

_FP32, _HALF = 4, 2
_LARGEST = 2**24  # a config.json may claim anything
_MOST_BYTES = 2**60
# Measured on MLX 0.32's CPU with towers of Pixtral's and SigLIP's kind, from 400 to 4096 patches.
_ACTIVATIONS = 16  # the residual, its norm, queries, keys, values with their rotations, and copies
_GATED = 4  # gate, up, their product and a copy
_PIXELS = 4  # as they come, scaled, normalised and laid out as patches; always fp32
_FUSED_WIDTHS = frozenset({64, 80, 128})  # of heads, for which Metal's attention makes no scores


def tower_bytes(config: Mapping[str, Any], seen: Vision, *, tokens: int, dequantises: bool) -> int:
    """Bytes that a picture of at most `tokens` tokens takes in the tower, beside the weights.

    One layer at a time: patches x (16 x hidden + 4 x intermediate), and the scores of attention where it is
    not fused, heads x patches², which is on a CPU and for heads of odd widths. Tiles are computed together.
    """
    tower = config["vision_config"]
    views = max(1, seen.views * min(tokens, seen.most_tokens) // seen.most_tokens)
    patches = _patches(tower, seen, tokens)
    edge = _number(tower, "patch_size", missing=14)
    hidden = _number(tower, "hidden_size", "embed_dim", missing=1280)
    heads = _number(tower, "num_attention_heads", "num_heads", missing=max(1, hidden // 64))
    ffn = _number(tower, "intermediate_size", missing=4 * hidden)
    numbers = views * patches * (_ACTIVATIONS * hidden + _GATED * ffn)
    if dequantises or not (seen.pads_heads or hidden // heads in _FUSED_WIDTHS):
        numbers += views * heads * patches**2
    pixels = views * patches * 3 * edge**2 * _PIXELS * _FP32
    return min(numbers * (_FP32 if dequantises else _HALF) + pixels, _MOST_BYTES)


def _patches(tower: Mapping[str, Any], seen: Vision, tokens: int) -> int:
    """The most patches of one view."""
    edge = _number(tower, "patch_size", missing=14)
    if seen.token_patches:
        return min(tokens, seen.most_tokens) * seen.token_patches
    if not seen.token_pixels:  # every view has the same size
        return int((_number(tower, "image_size", missing=896) // edge) ** 2)
    return int(min(tokens, seen.most_tokens) * (seen.token_pixels // edge) ** 2)


def _number(tower: Mapping[str, Any], *names: str, missing: int) -> int:
    given = (tower.get(name) for name in names)
    return next((figure for figure in given if type(figure) is int and 0 < figure <= _LARGEST), missing)
