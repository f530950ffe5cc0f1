"""Idefics 3 and SmolVLM: a picture is cut into tiles of one size, with the whole picture in one more.

A picture is resized until its longest edge has a certain length, also from a smaller size, and stretched to
whole tiles. Its text names row and column of each tile. One that fits into a tile is not cut.
"""

from collections.abc import Mapping
from math import ceil
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
_LONGEST_EDGE = 4096  # of what a picture is resized to, whatever the folder says
_LANCZOS = 1  # Pillow's
_AROUND, _WHOLE = "<fake_token_around_image>", "<global-img>"


class Idefics3Tower(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The encoder and the connector, by the names that their weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        package = family_module(
            config["model_type"], "ModelConfig", "TextConfig", "VisionConfig", "VisionModel"
        )
        made = package.ModelConfig.from_dict({**config, "quantization": None})
        made.text_config = package.TextConfig.from_dict(config["text_config"])
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self.vision_model = package.VisionModel(made.vision_config)
        self.connector = family_module("idefics3.idefics3", "Idefics3Connector").Idefics3Connector(made)


class Idefics3:
    """Sizes in pixels; `most_tokens` are those of a picture."""

    name = "idefics3"
    placeholder = image_token = "<image>"  # noqa: S105

    def __init__(self, config: Mapping[str, Any], rules: Mapping[str, Any], most_tokens: int) -> None:
        self.tower = Idefics3Tower(config)
        self._tile = int((rules.get("max_image_size") or {"longest_edge": 364})["longest_edge"])
        self._side = self._tile // int(config["vision_config"]["patch_size"])  # patches
        self._of_tile = (self._side // int(config.get("scale_factor", 2))) ** 2  # tokens
        longest = int((rules.get("size") or {}).get("longest_edge") or 4 * self._tile)
        self._longest = min(longest, _LONGEST_EDGE)
        self._most_tiles = most_tokens // self._of_tile
        self._splits = bool(rules.get("do_image_splitting", True))
        self._mean, self._std = rules.get("image_mean") or [0.5] * 3, rules.get("image_std") or [0.5] * 3
        self._scale = float(rules.get("rescale_factor") or 1 / 255)

    def install(self, model: nn.Module) -> None:
        seeing_embedding.install(model)

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        tile, rows, columns = self._tile, 0, 0
        image = image.resize(_scaled(image.width, image.height, self._longest), resample=_LANCZOS)
        if self._splits and detail != "low":
            rows, columns = self._grid(image.width, image.height)
            image = image.resize((max(1, columns) * tile, max(1, rows) * tile), resample=_LANCZOS)
        views = [
            image.crop((column * tile, row * tile, (column + 1) * tile, (row + 1) * tile))
            for row in range(rows)
            for column in range(columns)
        ]
        views.append(image.resize((tile, tile), resample=_LANCZOS))
        return Seen(
            views=np.stack([np.asarray(view) for view in views]),
            text=self._text(rows, columns),
            tokens=len(views) * self._of_tile,
            digest=digest_of(data, self.name, _REVISION, rows, columns),
        )

    def look(self, seen: Seen) -> mx.array:
        pixels = mx.array(seen.views).astype(mx.float32) * self._scale
        pixels = (pixels - mx.array(self._mean)) / mx.array(self._std)
        # All of a tile counts. mlx-vlm finds the positions by this mask, which rounds some of them down.
        mask = mx.ones((len(seen.views), self._side, self._side), mx.bool_)
        hidden, *_ = self.tower.vision_model(pixels, patch_attention_mask=mask)
        features: mx.array = self.tower.connector(hidden)
        return features.reshape(seen.tokens, -1)

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        """Rows and columns of tiles, fewer where that would be too many tokens; none for a single tile."""
        tile = self._tile
        longest = ceil(max(width, height) / tile) * tile
        while longest > tile:
            wide, high = _along(width, height, longest)
            rows, columns = ceil(high / tile), ceil(wide / tile)
            if rows * columns + 1 <= self._most_tiles:
                return rows, columns
            longest -= tile
        return 0, 0

    def _text(self, rows: int, columns: int) -> str:
        tokens = self.image_token * self._of_tile
        whole = f"{_AROUND}{_WHOLE}{tokens}{_AROUND}"
        if not rows:
            return whole
        lines = (
            "".join(f"{_AROUND}<row_{row}_col_{column}>{tokens}" for column in range(1, columns + 1)) + "\n"
            for row in range(1, rows + 1)
        )
        return "".join(lines) + "\n" + whole


def _along(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height of the same shape, with a longest edge of so many pixels."""
    if width >= height:
        return longest, max(1, int(longest / (width / height)))
    return max(1, int(longest * (width / height))), longest


def _scaled(width: int, height: int, longest: int) -> tuple[int, int]:
    """The same, with an even number of pixels along the shorter edge."""
    wide, high = _along(width, height, longest)
    if width >= height:
        return wide, high + high % 2
    return wide + wide % 2, high
