"""Which models see pictures, and how many tokens a picture becomes at most.

Their config.json has a part for vision, and their weights have its tensors: conversions of the text model
alone often keep the former without the latter.
"""

from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any, Final

from msgspec import Struct

# What the names of the tensors of towers and projectors begin with.
TENSORS: Final = (
    *("vision_tower.", "model.vision_tower.", "vision_model.", "model.vision_model.", "visual."),
    *("model.visual.", "embed_vision.", "model.embed_vision.", "connector.", "model.connector."),
    *(
        "multi_modal_projector.",
        "model.multi_modal_projector.",
        "vision_encoder.",
        "vision_language_adapter.",
    ),
)
MOST_TOKENS_ON_A_CPU: Final = 1024  # of one picture: its attention takes the square of the patches in memory
_LARGEST = 2**16  # a config.json may claim anything
_MOST_OF_A_GRID = 2**14  # Qwen: its preprocessing makes larger pictures smaller
_TILES_OF_AN_EDGE = 4  # Idefics 3 and SmolVLM: the longest edge of a picture, in tiles
_MARKS_OF_GEMMA = 4  # before and after a picture
_MARKS_OF_A_TILE = 3  # two tokens before it, and one at the end of a row


class Vision(Struct, frozen=True, kw_only=True):
    """What is known of a model that sees before it is loaded."""

    most_tokens: int  # of one picture
    views: int = 1  # tiles of one picture at most, each of equally many tokens
    token_patches: int = 0  # that the tower makes a token of; 0: as token_pixels or the size of a view say
    pads_heads: bool = False  # to a width for which Metal's attention makes no scores
    token_pixels: int = 0  # the edge of the square that a token stands for; 0: any size has as many tokens


def read(config: Mapping[str, Any], tensors: Iterable[str]) -> Vision | None:
    """What config.json and the names of the tensors say; None for a model that sees nothing."""
    family = _FAMILIES.get(str(config.get("model_type")))
    if family is None or not isinstance(config.get("vision_config"), dict):
        return None
    if not any(name.startswith(TENSORS) for name in tensors):
        return None
    return family(config)


def _of_rows(config: Mapping[str, Any]) -> Vision | None:
    """Pixtral and Mistral 3: rows of patches, with a token at the end of each."""
    vision = config["vision_config"]
    size, patch = _number(vision, "image_size"), _number(vision, "patch_size")
    merged = _number(config, "spatial_merge_size", missing=2 if config["model_type"] == "mistral3" else 1)
    if not (size and patch and merged):
        return None
    edge = ceil(size / (patch * merged))
    return Vision(most_tokens=edge * (edge + 1), token_pixels=patch * merged)


def _of_tiles(config: Mapping[str, Any]) -> Vision | None:
    """Idefics 3 and SmolVLM: tiles of one size, and the whole picture in one more."""
    vision = config["vision_config"]
    size, patch = _number(vision, "image_size"), _number(vision, "patch_size")
    scale = _number(config, "scale_factor", missing=2)
    if not (size and patch and scale):
        return None
    of_tile = (size // patch // scale) ** 2 + _MARKS_OF_A_TILE
    views = _TILES_OF_AN_EDGE**2 + 1
    return Vision(most_tokens=views * of_tile, views=views)


def _of_grid(config: Mapping[str, Any]) -> Vision | None:
    """Qwen: a grid of squares of patches, without marks."""
    vision = config["vision_config"]
    patch, merged = (
        _number(vision, "patch_size", missing=14),
        _number(vision, "spatial_merge_size", missing=2),
    )
    if not (patch and merged):
        return None
    return Vision(most_tokens=_MOST_OF_A_GRID, token_pixels=patch * merged, pads_heads=True)


def _of_one_square(config: Mapping[str, Any]) -> Vision | None:
    """Gemma 3: any picture becomes a square of as many tokens."""
    if not _number(config["vision_config"], "image_size"):
        return None
    tokens = _number(config, "mm_tokens_per_image", missing=256)
    return Vision(most_tokens=tokens + _MARKS_OF_GEMMA) if tokens else None


def _of_a_budget(config: Mapping[str, Any]) -> Vision | None:
    """Gemma 4: any picture is resized to about as many tokens."""
    if not _number(config["vision_config"], "patch_size"):
        return None
    tokens = _number(config, "vision_soft_tokens_per_image", missing=280)
    pooled = _number(config["vision_config"], "pooling_kernel_size", missing=3)
    if not (tokens and pooled):
        return None
    return Vision(most_tokens=tokens + _MARKS_OF_GEMMA, token_patches=pooled**2, pads_heads=True)


def _number(config: Mapping[str, Any], name: str, missing: int = 0) -> int:
    """A figure of the config, 0 where it makes no sense."""
    value = config.get(name, missing)
    return value if type(value) is int and 0 < value <= _LARGEST else 0


# By model_type, those that the worker has towers for.
_FAMILIES: Mapping[str, Callable[[Mapping[str, Any]], Vision | None]] = {
    "gemma3": _of_one_square,
    "gemma4": _of_a_budget,
    "idefics3": _of_tiles,
    "mistral3": _of_rows,
    "pixtral": _of_rows,
    "qwen2_5_vl": _of_grid,
    "qwen3_5": _of_grid,
    "qwen3_5_moe": _of_grid,
    "qwen3_vl": _of_grid,
    "qwen3_vl_moe": _of_grid,
    "smolvlm": _of_tiles,
}
