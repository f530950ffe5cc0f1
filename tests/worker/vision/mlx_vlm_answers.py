"""What mlx-vlm itself answers about pictures: its own processor, tower, merge and text model, in fp32."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from PIL import Image
from transformers import AutoTokenizer
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from inference.worker.vision.mlx_vlm_import import family_module
from tests.tiny_vision import MERGED, PATCH

Part = Any  # a text or a picture of Pillow's
Turn = tuple[str, Sequence[Part]]  # a role and its parts
_PIXTRAL = ("mistral3", "pixtral")
Logits = np.ndarray[Any, np.dtype[np.float32]]


class MlxVlm:
    """The model of a folder of tests/tiny_vision.py or tests/tiny_smolvlm.py, as mlx-vlm runs it."""

    def __init__(self, folder: Path, kind: str = "mistral3") -> None:
        config = json.loads((folder / "config.json").read_text())
        package = family_module(kind)
        made = package.ModelConfig.from_dict(config)
        made.text_config = package.TextConfig.from_dict(config["text_config"])
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self._model = package.Model(made)
        weights: Any = mx.load(str(folder / "model.safetensors"))
        if kind in _PIXTRAL:
            weights = self._model.sanitize(weights)
        self._model.load_weights(list(weights.items()))
        self._model.set_dtype(mx.float32)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        make = _pixtral_processor if kind in _PIXTRAL else _smolvlm_processor
        self._processor = make(folder, kind, self._tokenizer, config)

    def processed(self, *turns: Turn) -> Any:
        """What its processor makes of a chat: `input_ids`, `pixel_values` and `image_sizes`."""
        messages = [{"role": role, "content": [_part(one) for one in parts]} for role, parts in turns]
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        images = [one for _, parts in turns for one in parts if isinstance(one, Image.Image)]
        return self._processor(images or None, text, add_special_tokens=False)

    def features(self, image: Image.Image) -> Logits:
        """The rows of one picture, (tokens, hidden)."""
        got = self.processed(("user", [image]))
        embedded = self._embedded(got)[0]
        found = np.array(got["input_ids"][0]) == self._model.config.image_token_index
        rows: Logits = np.array(embedded)[found]
        return rows

    def logits(self, *turns: Turn) -> Logits:
        """Those of the whole prompt: (T, V)."""
        got = self.processed(*turns)
        ids = mx.array(got["input_ids"])
        return np.array(self._model.language_model(ids, inputs_embeds=self._embedded(got)).logits[0])

    def greedy(self, count: int, *turns: Turn) -> list[int]:
        """The first tokens of its answer."""
        got = self.processed(*turns)
        cache = make_prompt_cache(self._model.language_model)
        ids, embedded = mx.array(got["input_ids"]), self._embedded(got)
        logits = self._model.language_model(ids, inputs_embeds=embedded, cache=cache).logits
        answer = [int(logits[0, -1].argmax())]
        while len(answer) < count:
            logits = self._model.language_model(mx.array([answer[-1:]]), cache=cache).logits
            answer.append(int(logits[0, -1].argmax()))
        return answer

    def _embedded(self, got: Any) -> mx.array:
        options = {name: got[name] for name in ("image_sizes", "pixel_attention_mask") if name in got}
        ids, pixels = mx.array(got["input_ids"]), got.get("pixel_values")
        made: mx.array = self._model.get_input_embeddings(ids, pixels, **options).inputs_embeds
        return made


def _pixtral_processor(folder: Path, kind: str, tokenizer: Any, config: dict[str, Any]) -> Any:
    pixtral = family_module("pixtral.image_processing_pixtral")
    name = "Mistral3Processor" if kind == "mistral3" else "PixtralProcessor"
    return getattr(family_module(f"{kind}.processing_{kind}", name), name)(
        image_processor=pixtral.PixtralImageProcessor.from_pretrained(str(folder)),
        tokenizer=tokenizer,
        patch_size=PATCH,
        spatial_merge_size=MERGED if kind == "mistral3" else 1,
    )


def _smolvlm_processor(folder: Path, kind: str, tokenizer: Any, config: dict[str, Any]) -> Any:
    """SmolVLM's, which is Idefics 3's in another file; with the rules of transformers without torch."""
    side = config["vision_config"]["image_size"] // config["vision_config"]["patch_size"]
    rules = json.loads((folder / "preprocessor_config.json").read_text())
    return family_module("smolvlm.processing_smolvlm").SmolVLMProcessor(
        image_processor=SmolVLMImageProcessorPil(**rules),
        tokenizer=tokenizer,
        image_seq_len=(side // config["scale_factor"]) ** 2,
    )


def _part(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}


def difference(ours: Any, theirs: Logits) -> float:
    """The largest difference of any row, relative to the row."""
    mine = np.array(ours, dtype=np.float32)
    assert mine.shape == theirs.shape
    lengths = np.maximum(np.linalg.norm(theirs, axis=-1), 1e-9)
    return float((np.linalg.norm(mine - theirs, axis=-1) / lengths).max())
