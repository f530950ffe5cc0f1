"""Gemma 3: a picture is stretched to one square, and always has the same number of tokens.

transformers can also add crops of a long picture ("pan and scan"), which its models do not use unless asked.
"""

from collections.abc import Mapping
from math import sqrt
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
_BILINEAR = 2  # Pillow's
_TOKENS = 256  # where the folder says nothing


class Gemma3Tower(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The encoder and the projector, by the names that their weights have."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        package = family_module("gemma3", "ModelConfig", "TextConfig", "VisionConfig", "VisionModel")
        made = package.ModelConfig.from_dict({**config, "quantization": None})
        tokens = config.get("mm_tokens_per_image", _TOKENS)
        made.text_config = package.TextConfig.from_dict(
            {**config["text_config"], "mm_tokens_per_image": tokens}
        )
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self.vision_tower = package.VisionModel(made.vision_config)
        # mlx-vlm leaves it at MLX's own, which is ten times as large.
        self.vision_tower.vision_model.post_layernorm.eps = made.vision_config.layer_norm_eps
        module = family_module("gemma3.gemma3", "Gemma3MultiModalProjector")
        self.multi_modal_projector = module.Gemma3MultiModalProjector(made)


class Gemma3:
    """`most_tokens` are not followed: a picture cannot have fewer than the model was trained with."""

    name = "gemma3"
    placeholder, image_token = "<start_of_image>", "<image_soft_token>"
    _end = "<end_of_image>"

    def __init__(self, config: Mapping[str, Any], rules: Mapping[str, Any], most_tokens: int) -> None:
        self.tower = Gemma3Tower(config)
        self._size = int(config["vision_config"]["image_size"])
        self._tokens = int(config.get("mm_tokens_per_image", _TOKENS))
        # The text model multiplies all embeddings by it, and pictures have none.
        self._scale_of_text: Any = mx.array(sqrt(config["text_config"]["hidden_size"]), mx.bfloat16).item()
        self._filter = rules.get("resample", _BILINEAR)
        self._mean, self._std = rules.get("image_mean") or [0.5] * 3, rules.get("image_std") or [0.5] * 3
        self._scale = float(rules.get("rescale_factor") or 1 / 255)

    def install(self, model: nn.Module) -> None:
        seeing_embedding.install(model)

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        views = np.asarray(image.resize((self._size, self._size), resample=self._filter))[None]
        tokens = self.image_token * self._tokens
        return Seen(
            views=views,
            text=f"\n\n{self.placeholder}{tokens}{self._end}\n\n",
            tokens=self._tokens,
            digest=digest_of(data, self.name, _REVISION, self._size, self._tokens),
            attention="both_ways",
        )

    def look(self, seen: Seen) -> mx.array:
        pixels = mx.array(seen.views).astype(mx.float32) * self._scale
        pixels = (pixels - mx.array(self._mean)) / mx.array(self._std)
        encoder = self.tower.vision_tower.vision_model
        hidden, *_ = encoder(pixels.astype(encoder.embeddings.patch_embedding.weight.dtype))
        features: mx.array = self.tower.multi_modal_projector(hidden)[0]
        return features / self._scale_of_text  # type: ignore[no-any-return]
