"""The text models of vision models that mlx-lm does not know: it has their classes under other names."""

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
from mlx_lm.models import llama

from inference.repository.files.architectures import OURS

_TEXT = ("model.text_model.", "language_model.")  # in Hugging Face's files, and in mlx-vlm's
_HEAD = "lm_head."


class Idefics3Args:
    """Reads the part of a config.json that is about the text model."""

    @staticmethod
    def from_dict(config: Mapping[str, Any]) -> Any:
        text = {**config["text_config"], "model_type": "llama"}
        text.setdefault("tie_word_embeddings", bool(config.get("tie_word_embeddings", False)))
        return llama.ModelArgs.from_dict(text)


class Idefics3Text(llama.Model):  # type: ignore[misc]  # mlx-lm is not typed
    """The Llama inside of Idefics 3 and SmolVLM."""

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        found = ((_own_name(name), array) for name, array in weights.items())
        return dict(super().sanitize({name: array for name, array in found if name}))


def load_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """What mlx-lm's load_model needs to make the text model of a folder, if it does not know its kind."""
    if config.get("model_type") not in OURS:
        return {}
    return {"get_model_classes": lambda config: (Idefics3Text, Idefics3Args)}


def _own_name(name: str) -> str:
    """The name in a Llama of one of its weights; empty for those of the vision."""
    for prefix in _TEXT:
        if name.startswith(prefix):
            own = name.removeprefix(prefix)
            return own if own.startswith((_HEAD, "model.")) else f"model.{own}"
    return name if name.startswith(_HEAD) else ""
