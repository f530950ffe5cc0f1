"""Pixtral, Mistral Small 3.x and Ministral 3: a picture keeps its shape, and is a row of tokens for each row.

A picture is made smaller until its longest edge fits, and then stretched to whole units: patches, or the
squares of patches that the projector merges. Its text has the image token for each unit, with a break
between rows and an end after the last one.
"""

from collections.abc import Mapping
from math import isqrt
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from inference.worker.vision import seeing_embedding
from inference.worker.vision.mlx_vlm_import import family_module
from inference.worker.vision.seen import Detail, Seen, digest_of

if TYPE_CHECKING:
    from PIL import Image

_REVISION = 1  # another one after a change of what is computed for a picture
_LOW_TOKENS = 256
_BICUBIC = 3  # Pillow's


class PixtralTower(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The encoder and the projector, by the names that their weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        kind = config["model_type"]
        projector = "Mistral3MultiModalProjector" if kind == "mistral3" else "LlavaMultiModalProjector"
        package = family_module(kind, "ModelConfig", "TextConfig", "VisionConfig", "VisionModel")
        made = package.ModelConfig.from_dict({**config, "quantization": None})
        made.text_config = package.TextConfig.from_dict(config["text_config"])
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self.vision_tower = package.VisionModel(made.vision_config)
        module = family_module(f"{kind}.{kind}", projector)
        self.multi_modal_projector = getattr(module, projector)(made)


class Pixtral:
    """Sizes in pixels; `unit` is the edge of what becomes one token, `most_tokens` those of a picture."""

    name = "pixtral"
    placeholder = image_token = "[IMG]"  # noqa: S105
    _break, _end = "[IMG_BREAK]", "[IMG_END]"
    # Of red, green and blue, where the folder says nothing.
    MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

    def __init__(self, config: Mapping[str, Any], rules: Mapping[str, Any], most_tokens: int) -> None:
        self.tower = PixtralTower(config)
        vision = config["vision_config"]
        self._patch = int(vision["patch_size"])
        self._merged = int(config.get("spatial_merge_size", 2)) if config["model_type"] == "mistral3" else 1
        self._layer = config.get("vision_feature_layer", -1)
        self._unit = self._patch * self._merged
        # The encoder has learnt positions for so many pixels; beyond them it would read those of other rows.
        self._longest = min(_longest_edge(rules), int(vision["image_size"]))
        self._most_tokens = most_tokens
        self._mean, self._std = rules.get("image_mean") or self.MEAN, rules.get("image_std") or self.STD
        self._scale = float(rules.get("rescale_factor") or 1 / 255)

    def install(self, model: nn.Module) -> None:
        seeing_embedding.install(model)

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        rows, columns = self._grid(image.width, image.height, detail)
        size = (columns * self._unit, rows * self._unit)
        views = np.asarray(image.resize(size, resample=_BICUBIC))[None]
        row = self.image_token * columns
        return Seen(
            views=views,
            text=self._break.join([row] * rows) + self._end,
            tokens=rows * columns,
            digest=digest_of(data, self.name, _REVISION, rows, columns),
        )

    def look(self, seen: Seen) -> mx.array:
        pixels = mx.array(seen.views).astype(mx.float32) * self._scale
        pixels = (pixels - mx.array(self._mean)) / mx.array(self._std)
        rows, columns = (edge // self._patch for edge in seen.views.shape[1:3])
        hidden = self._encoded(pixels, rows, columns)
        projector = self.tower.multi_modal_projector
        if self._merged == 1:
            return projector(hidden)  # type: ignore[no-any-return]
        merged = self._merge(projector.norm(hidden), rows, columns)
        merged = projector.patch_merger.merging_layer(merged)
        return projector.linear_2(projector.gelu(projector.linear_1(merged)))  # type: ignore[no-any-return]

    def _encoded(self, pixels: mx.array, rows: int, columns: int) -> mx.array:
        """The patches (rows x columns, d) of one picture after the layer that the projector reads.

        mlx-vlm makes a mask of the square of the patches, to keep several pictures apart; here is one.
        """
        encoder = self.tower.vision_tower.vision_model
        embeddings = encoder.patch_conv(pixels.astype(encoder.patch_conv.weight.dtype))
        hidden: mx.array = encoder.ln_pre(embeddings.reshape(1, rows * columns, -1))
        side = encoder.config.image_size // self._patch  # of the table of positions
        places = (mx.arange(rows)[:, None] * side + mx.arange(columns)).flatten()
        positions = encoder.patch_positional_embedding(hidden, places)
        layers = encoder.transformer.layers
        for layer in layers[: self._layer % (len(layers) + 1)]:
            hidden = layer(hidden, position_embeddings=positions, mask=None)
        return hidden[0]

    def _merge(self, hidden: mx.array, rows: int, columns: int) -> mx.array:
        """Patches (rows x columns, d) to units (rows x columns / side², d x side²).

        mlx-vlm cuts each unit out by itself, which is thousands of operations for a large picture.
        """
        side, d = self._merged, hidden.shape[-1]
        cut = hidden.reshape(rows // side, side, columns // side, side, d).transpose(0, 2, 4, 1, 3)
        return cut.reshape(-1, d * side * side)

    def _grid(self, width: int, height: int, detail: Detail) -> tuple[int, int]:
        """Rows and columns of units."""
        most = min(self._most_tokens, _LOW_TOKENS) if detail == "low" else self._most_tokens
        longest = min(self._longest, isqrt(most) * self._unit)
        ratio = max(height / longest, width / longest)
        if ratio > 1:
            width, height = max(1, int(width / ratio)), max(1, int(height / ratio))
        return (height - 1) // self._unit + 1, (width - 1) // self._unit + 1


def _longest_edge(rules: Mapping[str, Any]) -> int:
    size = rules.get("size") or 1024
    if isinstance(size, Mapping):
        return int(size.get("longest_edge") or max(size["height"], size["width"]))
    return int(size)
