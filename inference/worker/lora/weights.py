"""Reads an adapter's weights and prepares them for the layers of a loaded model."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.switch_layers import QuantizedSwitchLinear

from inference.core.requests import Lora
from inference.repository.files import lora
from inference.repository.files.lora import BrokenLora, LoraLayer
from inference.worker.lora.experts import EXPERTS
from inference.worker.lora.layers import Factors
from inference.worker.lora.single_experts import Expert, places_of, stacked

_LINEAR = (nn.Linear, nn.QuantizedLinear)
_TEXT = frozenset({"model", "language_model"})
_EMBEDDING = (nn.Embedding, nn.QuantizedEmbedding)
# Experts that are layers of their own are called with a few tokens out of all rows (DBRX). The weights of the
# others are read by the model beside calling their layer, or in its place (Kimi K3, Gemma 3n).
_UNCHANGEABLE = re.compile(r"\.experts\.\d+\.|(_res_proj|\.prediction_coefs|\.correction_coefs)$")
_READS_EMBEDDING = ("llama4_text", "minicpm")  # as its head, where it has no other
Targets = Mapping[str, nn.Module]  # the layers that an adapter may change, by path


@dataclass(frozen=True)
class LoraWeights:
    """An adapter in memory: its factors by the path of their layer."""

    key: str
    factors: Mapping[str, Factors]


def targets(model: nn.Module) -> Targets:
    """The layers of a model that adapters may change, before any of them is."""
    kinds: tuple[type[nn.Module], ...] = (*_LINEAR, *_EMBEDDING, *EXPERTS)
    if type(model).__module__.rpartition(".")[2] in _READS_EMBEDDING and "lm_head" not in model:
        kinds = (*_LINEAR, *EXPERTS)
    return {
        path: layer
        for path, layer in model.named_modules()
        if isinstance(layer, kinds) and not _UNCHANGEABLE.search(path)
    }


def read(given: Lora, layers: Targets, *, is_cpu: bool) -> LoraWeights:
    """An adapter's factors on the device, in fp32 on a CPU.

    1. Check its files, and that each of its layers is in the model and as large.
    2. Read the weights; refuse numbers that are not finite.
    3. Transpose factors that are stored so, pad the ranks, and put the scale into the second factor.

    Raises BrokenLora, or OSError.
    """
    files = lora.read(Path(given.path))
    places = [_place(layer, layers) for layer in files.layers]
    found = [_target(*pair, layers) for pair in zip(files.layers, places, strict=True)]
    try:
        arrays: Any = mx.load(str(files.weights))
    except (RuntimeError, ValueError):
        raise BrokenLora(f"its {files.weights.name} cannot be read") from None
    factors: dict[str, Factors] = {}
    experts: dict[str, dict[int, Factors]] = defaultdict(dict)
    for layer, place, base in zip(files.layers, places, found, strict=True):
        ours = _factors(layer, arrays, base, is_cpu=is_cpu)
        if not all(mx.isfinite(array).all().item() for array in ours.arrays):
            raise BrokenLora(f"its layer {layer.path[:80]} has numbers that are not finite")
        if isinstance(place, Expert):
            experts[place.path][place.number] = ours
        else:
            factors[place] = ours
    for path, single in experts.items():
        factors[path] = stacked(single, len(layers[path].weight))
    return LoraWeights(given.key, factors)


def _place(layer: LoraLayer, layers: Targets) -> str | Expert:
    """The path of the model's own layer, or which expert of one a layer is."""
    if not layer.is_transposed or layer.path in layers:
        return layer.path
    for path, number in places_of(layer.path):
        if isinstance(layers.get(own := _path(path, layers)), EXPERTS):
            return Expert(own, number)
    return _path(layer.path, layers)


def _path(given: str, layers: Targets) -> str:
    """The path that a layer with PEFT's path has in the model.

    PEFT has the paths of transformers, which differ from mlx-lm's for the text part of multimodal models:
    `model.language_model.layers.0` is `language_model.model.layers.0` there.
    """
    parts, inner, number = given.partition("layers.")
    if given in layers or not set(filter(None, parts.split("."))) <= _TEXT:
        return given
    same = [path for path in layers if path.endswith(f".{inner}{number}") and inner]
    is_one = len(same) == 1 and set(same[0].partition("layers.")[0].split(".")) <= {*_TEXT, ""}
    return same[0] if is_one else given


def _target(layer: LoraLayer, place: str | Expert, layers: Targets) -> nn.Module:
    """The model's layer; raises BrokenLora where there is none or one of another size."""
    is_expert = isinstance(place, Expert)
    found = layers.get(place.path if isinstance(place, Expert) else place)
    if found is None:
        raise BrokenLora(f"the model has no layer {layer.path[:80]} that it could change")
    if is_expert and layer.magnitude:
        raise BrokenLora(f"it changes the expert {layer.path[:80]} in DoRA; make a model of it")
    shape = _shape(found)[1:] if is_expert else _shape(found)
    is_embedding = isinstance(found, _EMBEDDING)
    if is_embedding and (layer.magnitude or layer.is_transposed):
        raise BrokenLora(
            f"it changes the embedding {layer.path[:80]} in a way that is not served; make a model of it"
        )
    ours = layer.shape[::-1] if is_embedding else layer.shape
    if shape != ours:
        sizes = (" x ".join(map(str, one)) for one in (ours, shape))
        raise BrokenLora(f"its layer {layer.path[:80]} is {next(sizes)}, the model's {next(sizes)}")
    return found


def _shape(layer: nn.Module) -> tuple[int, ...]:
    """Rows and columns of a layer's matrix, after the number of its experts."""
    *rows, columns = layer.weight.shape
    is_packed = isinstance(layer, nn.QuantizedLinear | nn.QuantizedEmbedding | QuantizedSwitchLinear)
    return *rows, columns * 32 // layer.bits if is_packed else columns


def _factors(layer: LoraLayer, arrays: Mapping[str, mx.array], base: nn.Module, *, is_cpu: bool) -> Factors:
    a, b = (arrays[name].astype(mx.float32) for name in (layer.a, layer.b))
    a, b = (a.swapaxes(-1, -2), b.swapaxes(-1, -2)) if layer.is_transposed else (a, b)
    b = b * layer.scale
    gain = shift = None
    if layer.magnitude:
        magnitude = arrays[layer.magnitude].astype(mx.float32).reshape(-1)
        gain = magnitude / mx.linalg.norm(_matrix(base) + (a @ b).T, axis=1)
        bias = base.bias.astype(mx.float32) if "bias" in base else mx.zeros_like(gain)
        b, shift = b * gain, bias * (1 - gain)
    kept = mx.float32 if is_cpu else arrays[layer.a].dtype
    pad = layer.padded_rank - layer.rank
    experts = [(0, 0)] * (a.ndim - 2)
    made = [mx.pad(a, [*experts, (0, 0), (0, pad)]), mx.pad(b, [*experts, (0, pad), (0, 0)])]
    vectors = [vector for vector in (gain, shift) if vector is not None]
    ready = [mx.contiguous(array.astype(kept)) for array in (*made, *vectors)]
    mx.eval(ready)
    return Factors(*ready)


def _matrix(layer: nn.Module) -> mx.array:
    """A linear layer's matrix in fp32, (outputs, inputs)."""
    matrix: mx.array = layer.weight
    if isinstance(layer, nn.QuantizedLinear):
        how = {"group_size": layer.group_size, "bits": layer.bits, "mode": layer.mode}
        matrix = mx.dequantize(layer.weight, layer.scales, layer.get("biases"), **how)
    return matrix.astype(mx.float32)
