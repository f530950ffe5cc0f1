"""The weights of a tower: found in a model's folder by their names, and not read yet."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

_PREFIXES = re.compile(
    r"(?:model\.)?"
    r"((?:vision_tower|vision_encoder|vision_model|visual|multi_modal_projector|vision_projection|connector"
    r"|embed_vision)\..+)"
)
_NAMES = (
    ("vision_encoder.", "vision_tower."),
    ("visual.", "vision_tower."),
    ("vision_projection.", "multi_modal_projector."),
)
# Hugging Face's encoder is not inside another module.
_BARE_ENCODER = re.compile(r"^vision_tower\.(?=transformer\.|patch_conv\.|ln_pre\.)")


class MissingWeights(Exception):
    """The folder does not have what its tower consists of."""


def has_weights(folder: Path) -> bool:
    """Whether the folder has a tower: text-only quantisations leave it out, and keep its configuration."""
    return bool(_weights(folder))


def put_weights(tower: nn.Module, folder: Path, config: Mapping[str, Any]) -> None:
    """Put the folder's weights into a tower, quantised where they are; raises MissingWeights."""
    weights = _weights(folder)
    _quantise(tower, weights, config.get("quantization") or {})
    wanted = {name: array.shape for name, array in tree_flatten(tower.parameters())}
    found = {name: _laid_out(array, wanted.get(name)) for name, array in weights.items()}
    if missing := [name for name, shape in wanted.items() if name not in found or found[name].shape != shape]:
        raise MissingWeights(f"{len(missing)} of its vision weights are missing, {missing[0]} for one")
    tower.load_weights([(name, found[name]) for name in wanted])
    tower.eval()


def _weights(folder: Path) -> dict[str, mx.array]:
    found: dict[str, mx.array] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        arrays: Any = mx.load(str(file))
        found |= {own: array for name, array in arrays.items() if (own := _own_name(name))}
    return found


def _own_name(name: str) -> str:
    """The name in the tower of a weight of the folder; empty for one of the text model."""
    match = _PREFIXES.fullmatch(name)
    own = match[1] if match else ""
    for before, after in _NAMES:
        own = after + own.removeprefix(before) if own.startswith(before) else own
    return _BARE_ENCODER.sub("vision_tower.vision_model.", own)


def _quantise(tower: nn.Module, weights: Mapping[str, mx.array], config: Mapping[str, Any]) -> None:
    def is_quantised(path: str, layer: nn.Module) -> bool | dict[str, Any]:
        if f"{path}.scales" not in weights or not hasattr(layer, "to_quantized"):
            return False
        own = config.get(path)
        return own if isinstance(own, dict) else True

    if config:
        nn.quantize(
            tower,
            group_size=config["group_size"],
            bits=config["bits"],
            mode=config.get("mode", "affine"),
            class_predicate=is_quantised,
        )


def _laid_out(array: mx.array, wanted: tuple[int, ...] | None) -> mx.array:
    """A convolution's weight with its channels last, as MLX has them; PyTorch has them second."""
    is_other = array.ndim > 3 and array.shape != wanted
    return array.moveaxis(1, -1) if is_other else array
