"""What mlx-vlm itself answers about pictures with Qwen's models: positions, deepstack and all, in fp32."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from PIL import Image
from transformers import AutoTokenizer

from inference.worker.vision.mlx_vlm_import import family_module
from tests.worker.vision.mlx_vlm_answers import Logits, MlxVlm, Turn


class QwenOfMlxVlm(MlxVlm):
    """The model of a folder of tests/tiny_qwen_vl.py, as mlx-vlm runs it."""

    def __init__(self, folder: Path, kind: str) -> None:
        config = json.loads((folder / "config.json").read_text())
        package = family_module(kind)
        made = package.ModelConfig.from_dict(config)
        made.text_config = package.TextConfig.from_dict(config["text_config"])
        made.vision_config = package.VisionConfig.from_dict(config["vision_config"])
        self._model = package.Model(made)
        if kind == "qwen3_vl_moe":
            _put_activations_right(self._model.vision_tower)
        weights: Any = mx.load(str(folder / "model.safetensors"))
        for part in (self._model, self._model.vision_tower, self._model.language_model):
            weights = part.sanitize(weights) if hasattr(part, "sanitize") else weights
        self._model.load_weights(list(weights.items()))
        self._model.set_dtype(mx.float32)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        processing = family_module("qwen3_vl.processing_qwen3_vl")
        options = processing._qwen_vl_image_kwargs(str(folder))
        self._processor = processing.Qwen3VLProcessor(
            image_processor=processing.Qwen3VLImageProcessor(**options),
            tokenizer=self._tokenizer,
            video_processor=processing.Qwen3VLVideoProcessor(),
        )

    def processed(self, *turns: Turn) -> Any:
        """What its processor makes of a chat: `input_ids`, `pixel_values` and `image_grid_thw`."""
        got = super().processed(*turns)
        got["input_ids"] = np.array(got["input_ids"])
        return got

    @property
    def weights(self) -> dict[str, Any]:
        """All of its weights by mlx-vlm's names, as it writes them into a folder."""
        return {name: np.ascontiguousarray(array) for name, array in tree_flatten(self._model.parameters())}

    def features(self, image: Image.Image) -> Logits:
        """The rows of one picture, (tokens, hidden), and of each level of deepstack behind them."""
        got = self.processed(("user", [image]))
        made = self._model.vision_tower(mx.array(got["pixel_values"]), mx.array(got["image_grid_thw"]))
        rows, levels = made if isinstance(made, tuple) else (made, [])
        return np.concatenate([np.array(rows), *map(np.array, levels)], axis=-1)

    def coordinates(self, *turns: Turn) -> tuple[Any, int]:
        """Time, row and column of each token of a prompt, (3, T), and what is added behind it."""
        got = self.processed(*turns)
        ids, grid = mx.array(got["input_ids"]), mx.array(got["image_grid_thw"])
        found, shift = self._model.language_model.get_rope_index(ids, grid)
        return np.array(found)[:, 0], int(shift.item())

    def logits(self, *turns: Turn) -> Logits:
        logits, *_ = self._prompt(None, *turns)
        return np.array(logits[0])

    def greedy(self, count: int, *turns: Turn) -> list[int]:
        model = self._model.language_model
        cache = family_module("cache").make_prompt_cache(model)
        logits, shift = self._prompt(cache, *turns)
        answer = [int(logits[0, -1].argmax())]
        while len(answer) < count:
            logits = model(mx.array([answer[-1:]]), cache=cache, **shift).logits
            answer.append(int(logits[0, -1].argmax()))
        return answer

    def _prompt(self, cache: Any, *turns: Turn) -> tuple[mx.array, dict[str, mx.array]]:
        """The logits of a prompt, and what the steps after it need, as mlx-vlm's generation passes it."""
        model = self._model.language_model
        model._rope_deltas = model._position_ids = None
        got = self.processed(*turns)
        options = {}
        if "pixel_values" in got:
            options = {"image_grid_thw": mx.array(got["image_grid_thw"])}
        pixels = mx.array(got["pixel_values"]) if options else None
        ids = mx.array(got["input_ids"])
        made = self._model.get_input_embeddings(ids, pixels, **options).to_dict()
        passed = {name: one for name, one in made.items() if one is not None and name != "inputs_embeds"}
        logits = model(ids, inputs_embeds=made["inputs_embeds"], cache=cache, **passed).logits
        return logits, {name: one for name, one in passed.items() if name == "rope_deltas"}


def _put_activations_right(tower: Any) -> None:
    """mlx-vlm has the two GELUs of this tower the other way round than Hugging Face, and its dense one."""
    for block in tower.blocks:
        block.mlp.act_fn = nn.GELU(approx="tanh")
    for merger in (tower.merger, *tower.deepstack_merger_list):
        merger.act_fn = nn.GELU()
