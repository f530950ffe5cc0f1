"""What Gemma 3 and Gemma 4 answer about pictures by the rules of transformers.

mlx-vlm itself is no reference: it generates causally with Gemma 3, scales pictures by another number than the
text model multiplies them by, and attends both ways in all layers of Gemma 4. So its processor, tower,
projector and layers are used here one by one, in fp32, with the masks that transformers describes in
`create_masks_for_vision_model`. Each token is computed from the whole prompt, without caches.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from PIL import Image
from transformers import AutoTokenizer
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from inference.worker.vision.mlx_vlm_import import family_module
from tests.worker.vision.mlx_vlm_answers import Logits, Part, Turn

Scored = list[tuple[int, float]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


class GemmaAnswers:
    """The model of a folder of tests/tiny_gemma.py."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        self.rules = json.loads((folder / "preprocessor_config.json").read_text())
        self._features: dict[tuple[tuple[int, int], bytes], mx.array] = {}
        self._kind: str = config["model_type"]
        self._text = config["text_config"]
        package = family_module(self._kind)
        made = package.ModelConfig.from_dict(config)
        made.text_config = package.TextConfig.from_dict(self._text)
        made.text_config.mm_tokens_per_image = config.get("mm_tokens_per_image", 0)
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self._model = package.Model(made)
        weights: Any = mx.load(str(folder / "model.safetensors"))
        if self._kind == "gemma3":
            weights = self._model.vision_tower.sanitize(self._model.language_model.sanitize(weights))
            self._model.vision_tower.vision_model.post_layernorm.eps = 1e-6  # as SigLIP's configuration says
        else:
            weights = self._model.sanitize(weights)
        # Gemma 4's layers that share keys have projections in mlx-vlm that nothing uses.
        self._model.load_weights(list(weights.items()), strict=self._kind == "gemma3")
        self._image_token = config.get("image_token_index") or config["image_token_id"]
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        processing = family_module(f"{self._kind}.processing_{self._kind}")
        if self._kind == "gemma3":
            self._processor = processing.Gemma3Processor(
                Gemma3ImageProcessorPil(**self.rules),
                self._tokenizer,
                image_seq_length=config["mm_tokens_per_image"],
            )
        else:
            images = processing.Gemma4ImageProcessor(**self.rules)
            self._processor = processing.Gemma4Processor(images, self._tokenizer)

    def processed(self, *turns: Turn) -> Any:
        """What its processor makes of a chat: `input_ids` and `pixel_values`."""
        messages = [{"role": role, "content": [_part(one) for one in parts]} for role, parts in turns]
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        images = [one for _, parts in turns for one in parts if isinstance(one, Image.Image)]
        return self._processor(images or None, text, add_special_tokens=False)

    def pixels(self, image: Image.Image) -> mx.array:
        """What its image processor makes of a picture: (1, 3, height, width)."""
        turn = ("user", [image])
        return mx.array(np.asarray(self.processed(turn)["pixel_values"][0], np.float32))[None]

    def features(self, image: Image.Image) -> mx.array:
        """The rows of one picture, (tokens, hidden), as they are put into scaled embeddings."""
        known = (image.size, image.tobytes())
        if known not in self._features:
            self._features[known] = self._looked_at(self.pixels(image))
        return self._features[known]

    def _looked_at(self, pixels: mx.array) -> mx.array:
        if self._kind == "gemma4":
            return self._model.encode_image(pixels)[0]  # type: ignore[no-any-return]
        hidden, *_ = self._model.vision_tower(pixels.transpose(0, 2, 3, 1))
        return self._model.multi_modal_projector(hidden)[0]  # type: ignore[no-any-return]

    def logits(self, ids: Sequence[int], features: Sequence[mx.array], *, is_causal: bool = False) -> Logits:
        """Those of the whole prompt, (T, V); `is_causal` leaves what pictures see of their own out."""
        model, (full, windowed) = self._model.language_model.model, self._masks(ids, is_causal=is_causal)
        tokens = mx.array([list(ids)])
        at = np.flatnonzero(np.array(ids) == self._image_token)
        if self._kind == "gemma3":
            scale = mx.array(self._text["hidden_size"] ** 0.5, mx.bfloat16).astype(mx.float32)
            h = _with_features(model.embed_tokens(tokens) * scale, at, features)
            pattern = self._text["sliding_window_pattern"]
            for number, layer in enumerate(model.layers):
                h = layer(h, full if number % pattern == pattern - 1 else windowed, None)
            return np.array(self._model.language_model.lm_head(model.norm(h))[0])
        h = _with_features(model.embed_tokens(tokens) * model.embed_scale, at, features)
        per_layer = None
        if self._text["hidden_size_per_layer_input"]:
            as_padding = mx.where(tokens == self._image_token, 0, tokens)
            per_layer = model.get_per_layer_inputs(as_padding)
        kinds = self._text["layer_types"]
        model._make_masks = lambda *_: [full if kind == "full_attention" else windowed for kind in kinds]
        hidden = model(inputs_embeds=h, per_layer_inputs=per_layer)
        return np.array(self._model.language_model.logits_from_hidden(hidden)[0])

    def continued(self, ids: Sequence[int], images: Sequence[Image.Image], count: int) -> Scored:
        """The first tokens of the greedy answer to a prompt with these pictures, with log probabilities."""
        known, features, scored = list(ids), [self.features(one) for one in images], Scored()
        while len(scored) < count:
            logits = self.logits(known, features)[-1].astype(np.float64)
            token = int(logits.argmax())
            scored.append((token, float(logits[token] - np.log(np.exp(logits).sum()))))
            known.append(token)
        return scored

    def _masks(self, ids: Sequence[int], *, is_causal: bool) -> tuple[mx.array, mx.array]:
        """Those of layers with full attention, and of those with a sliding window: (T, T)."""
        tokens, at = np.array(ids) == self._image_token, np.arange(len(ids))
        starts = tokens & ~np.concatenate([[False], tokens[:-1]])
        blocks = np.where(tokens, starts.cumsum(), -1)
        query, key = at[:, None], at[None, :]
        causal: Mask = query >= key
        same: Mask = (blocks[:, None] == blocks[None, :]) & (blocks[:, None] > 0)
        has_both_ways = self._kind == "gemma3" or self._text["use_bidirectional_attention"] == "vision"
        both: Mask = causal if is_causal or not has_both_ways else causal | same
        window: Mask = key > query - self._text["sliding_window"]
        return mx.array(both if self._kind == "gemma3" else causal), mx.array(window & both)


def _part(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}


def _with_features(embedded: mx.array, at: Any, features: Sequence[mx.array]) -> mx.array:
    if len(features):
        embedded[0, mx.array(at)] = mx.concatenate(list(features))
    return embedded
