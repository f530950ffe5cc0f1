"""Qwen 2.5-VL, Qwen 3-VL and Qwen 3.5: a picture keeps its shape, and is a grid of tokens without marks.

A picture is resized to whole units, the squares of patches that the tower merges, and to a number of pixels
between two bounds. The text model counts its tokens by row and column (coordinates.py). Of Qwen 3-VL, what
the tower sees at some depths is added to the first layers of the text model (deepstack.py).
"""

from collections.abc import Mapping
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from inference.worker.vision import deepstack, row_rope, seeing_embedding
from inference.worker.vision.mlx_vlm_import import family_module
from inference.worker.vision.seen import Detail, Seen, digest_of

if TYPE_CHECKING:
    from PIL import Image

_REVISION = 1  # another one after a change of what is computed for a picture
_LOW_TOKENS = 256
_LONGEST = 200  # times the shorter edge: a longer picture is squeezed
_BICUBIC = 3  # Pillow's
_OLDER = "qwen2_5_vl"


class QwenTower(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The encoder with its projector, by the names that their weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        # mlx-vlm has the activations of Qwen 3-VL's MoE the wrong way round; its tower is that of the others.
        kind = _OLDER if config["model_type"] == _OLDER else "qwen3_vl"
        package = family_module(kind, "VisionConfig", "VisionModel")
        vision = {**config["vision_config"], "model_type": kind}
        if config["model_type"].startswith("qwen3_5"):
            vision["deepstack_visual_indexes"] = []
        self.vision_tower = package.VisionModel(package.VisionConfig.from_dict(vision))


class Qwen:
    """Sizes in pixels; `unit` is the edge of what becomes one token, `most_tokens` those of a picture."""

    name = "qwen"
    placeholder = image_token = "<|image_pad|>"  # noqa: S105

    def __init__(self, config: Mapping[str, Any], rules: Mapping[str, Any], most_tokens: int) -> None:
        self.tower = QwenTower(config)
        vision, self._is_older = self.tower.vision_tower.config, config["model_type"] == _OLDER
        self._patch, self._merged = vision.patch_size, vision.spatial_merge_size
        self._frames = vision.temporal_patch_size
        self._levels = 0 if self._is_older else len(vision.deepstack_visual_indexes)
        self._unit = self._patch * self._merged
        size = rules.get("size") or {}
        self._least_pixels = int(rules.get("min_pixels") or size.get("shortest_edge") or 56**2)
        self._most_pixels = int(rules.get("max_pixels") or size.get("longest_edge") or 1280 * 28**2)
        self._most_tokens = most_tokens
        self._mean, self._std = rules.get("image_mean") or [0.5] * 3, rules.get("image_std") or [0.5] * 3
        self._scale = float(rules.get("rescale_factor") or 1 / 255)
        text = config.get("text_config") or config
        rope = text.get("rope_scaling") or text["rope_parameters"]
        self._sections = tuple(map(int, rope["mrope_section"]))

    def install(self, model: nn.Module) -> None:
        row_rope.install(model, self._sections, is_interleaved=not self._is_older)
        deepstack.install(model, self._levels)
        seeing_embedding.install(model)

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        rows, columns = self._grid(image.width, image.height, detail)
        size = (columns * self._unit, rows * self._unit)
        return Seen(
            views=np.asarray(image.resize(size, resample=_BICUBIC))[None],
            text=self.image_token * (rows * columns),
            tokens=rows * columns,
            digest=digest_of(data, self.name, _REVISION, rows, columns),
            grid=(rows, columns),
        )

    def look(self, seen: Seen) -> mx.array:
        pixels = mx.array(seen.views[0]).astype(mx.float32) * self._scale
        pixels = (pixels - mx.array(self._mean)) / mx.array(self._std)
        tower = self.tower.vision_tower
        patches = self.patches(pixels).astype(tower.patch_embed.proj.weight.dtype)
        height, width, _ = pixels.shape
        made = tower(patches, mx.array([[1, height // self._patch, width // self._patch]]))
        if self._is_older:
            return made  # type: ignore[no-any-return]
        features, levels = made
        return mx.concatenate([features, *levels], axis=-1)

    def patches(self, pixels: mx.array) -> mx.array:
        """Pixels (height, width, 3) as (patches, numbers), a unit's together, the same in all frames."""
        side, merged = self._patch, self._merged
        height, width, colours = pixels.shape
        rows, columns = height // self._unit, width // self._unit
        cut = pixels.reshape(rows, merged, side, columns, merged, side, colours)
        cut = mx.expand_dims(cut.transpose(0, 3, 1, 4, 6, 2, 5), 5)
        frames = mx.repeat(cut, self._frames, axis=5)
        return frames.reshape(rows * columns * merged**2, -1)

    def _grid(self, width: int, height: int, detail: Detail) -> tuple[int, int]:
        """Rows and columns of units."""
        most = min(self._most_tokens, _LOW_TOKENS) if detail == "low" else self._most_tokens
        width, height = min(width, _LONGEST * height), min(height, _LONGEST * width)
        most_pixels = min(self._most_pixels, most * self._unit**2)
        least_pixels = min(self._least_pixels, most_pixels // 2)
        rows, columns = round(height / self._unit), round(width / self._unit)
        pixels = rows * columns * self._unit**2
        if pixels > most_pixels:
            ratio = sqrt(height * width / most_pixels)
            rows = max(1, floor(height / ratio / self._unit))
            columns = max(1, floor(width / ratio / self._unit))
        elif pixels < least_pixels:
            ratio = sqrt(least_pixels / (height * width))
            rows, columns = ceil(height * ratio / self._unit), ceil(width * ratio / self._unit)
        if rows < columns:
            return rows, min(columns, max(1, most // rows))
        return min(rows, max(1, most // columns)), columns
