"""Gemma 4: a picture keeps its shape, and has about as many tokens as its budget allows, whatever its size.

It is resized until its patches fill the budget, in whole units: squares of patches that become one token.
Budgets are those that the models were trained with. The small models see a picture causally and have an
embedding for each layer (per_layer_embedding.py); the large ones see it both ways in their sliding windows
(picture_mask.py).
"""

from collections.abc import Mapping
from math import floor, sqrt
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from inference.worker.vision import per_layer_embedding, seeing_embedding
from inference.worker.vision.mlx_vlm_import import family_module
from inference.worker.vision.seen import Attention, Detail, Seen, digest_of

if TYPE_CHECKING:
    from PIL import Image

_REVISION = 1  # another one after a change of what is computed for a picture
_BICUBIC = 3  # Pillow's
_BUDGETS = (70, 140, 280, 560, 1120)  # tokens of a picture
_USUAL_BUDGET = 280


class Gemma4Tower(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The encoder and the projector, by the names that their weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        package = family_module("gemma4", "VisionConfig", "VisionModel")
        vision = package.VisionConfig.from_dict(config["vision_config"])
        self.vision_tower = package.VisionModel(vision)
        module = family_module("gemma4.gemma4", "MultimodalEmbedder")
        hidden = config["text_config"]["hidden_size"]
        self.embed_vision = module.MultimodalEmbedder(vision.hidden_size, hidden, vision.rms_norm_eps)


class Gemma4:
    """`most_tokens` are those of a picture; the smallest budget is beyond fewer."""

    name = "gemma4"
    placeholder = image_token = "<|image|>"  # noqa: S105
    _begin, _end = "<|image>", "<image|>"

    def __init__(self, config: Mapping[str, Any], rules: Mapping[str, Any], most_tokens: int) -> None:
        self.tower = Gemma4Tower(config)
        encoder = self.tower.vision_tower
        self._unit = encoder.patch_size * encoder.pooling_kernel_size  # pixels
        self._most = most_tokens
        self._own = int(rules.get("max_soft_tokens") or _USUAL_BUDGET)
        self._embeds_for_layers = bool(config["text_config"].get("hidden_size_per_layer_input"))
        both_ways = config["text_config"].get("use_bidirectional_attention") == "vision"
        self._attention: Attention = "both_ways_in_windows" if both_ways else "causal"
        self._scale_of_text = sqrt(config["text_config"]["hidden_size"])
        self._filter = rules.get("resample", _BICUBIC)
        self._scale = float(rules.get("rescale_factor") or 1 / 255)

    def install(self, model: nn.Module) -> None:
        seeing_embedding.install(model)
        if self._embeds_for_layers:
            per_layer_embedding.install(model)

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        rows, columns = self._grid(image.width, image.height, self._budget(detail))
        size = (columns * self._unit, rows * self._unit)
        views = np.asarray(image.resize(size, resample=self._filter))[None]
        tokens = rows * columns
        return Seen(
            views=views,
            text=f"{self._begin}{self.image_token * tokens}{self._end}",
            tokens=tokens,
            digest=digest_of(data, self.name, _REVISION, rows, columns),
            attention=self._attention,
        )

    def look(self, seen: Seen) -> mx.array:
        pixels = mx.array(seen.views).astype(mx.float32) * self._scale
        hidden = self.tower.vision_tower(pixels.transpose(0, 3, 1, 2))
        features: mx.array = self.tower.embed_vision(hidden)[0]
        # The text model multiplies all embeddings by it, and transformers adds pictures after that.
        return features / self._scale_of_text

    def _budget(self, detail: Detail) -> int:
        """The model's own tokens of a picture, or the largest smaller budget that is allowed."""
        budgets = [*(one for one in _BUDGETS if one < self._own), self._own]
        if detail == "low":
            return budgets[0]
        return max((one for one in budgets if one <= self._most), default=budgets[0])

    def _grid(self, width: int, height: int, budget: int) -> tuple[int, int]:
        """Rows and columns of units."""
        factor = sqrt(budget * self._unit**2 / (height * width))
        rows, columns = (floor(factor * edge / self._unit) for edge in (height, width))
        if not rows:
            return 1, min(width // height, budget)
        if not columns:
            return min(height // width, budget), 1
        return rows, columns
