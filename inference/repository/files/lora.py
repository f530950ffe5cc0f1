"""The files of a LoRA adapter, read and checked without its weights: settings and headers of tensors.

Two forms are read. That of mlx-lm has `adapter_config.json` with `lora_parameters`, and
`adapters.safetensors` with `lora_a` (inputs, rank) and `lora_b` (rank, outputs) of each layer
(https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/LORA.md). That of PEFT has `adapter_config.json` with
`r` and `lora_alpha`, and `adapter_model.safetensors` with `lora_A.weight` (rank, inputs) and
`lora_B.weight` (outputs, rank) (https://huggingface.co/docs/peft/developer_guides/checkpoint).

Layers with experts have factors for each of them: `lora_a` (experts, rank, inputs) and `lora_b` (experts,
outputs, rank) in mlx-lm's form, and in PEFT's those of a layer for each expert.

What cannot be added to single rows of a batch exactly is refused by name.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.repository.files import json_files
from inference.repository.files.json_files import UnreadableJson
from inference.repository.files.safetensors import BrokenWeights, Tensor, read_file

CONFIG = "adapter_config.json"
_FUSE = "fuse it into a model with `mlx_lm.fuse` and serve that model"
_MLX_FILE = "adapters.safetensors"
_PEFT_FILE = "adapter_model.safetensors"
_PEFT_PREFIX = "base_model.model."
_MOST_RANK = 1024
_RANK_STEP = 8  # ranks are padded to a multiple, so that adapters of similar ranks share a stack
_FP32 = 4
_EXPERT = re.compile(r"\.experts\.(\d{1,5})\.")  # in the path of a single expert's layer
_FLOATS = frozenset({"F32", "F16", "BF16"})
# Of PEFT's initial weights, those that leave the base model as it is.
_PLAIN_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")
# Of PEFT's settings, those that train something else than the layers' two factors.
_ELSEWHERE = ("modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication")


class BrokenLora(Exception):
    """The adapter cannot be used; the message is for its owner."""


@dataclass(frozen=True)
class LoraLayer:
    """The change of one layer: `a` (inputs, rank) times `b` (rank, outputs) times `scale`.

    `a`, `b` and `magnitude` are the names of tensors in the file; PEFT's `a` and `b` are transposed. With a
    `magnitude` (outputs,) it is DoRA (https://arxiv.org/abs/2402.09353). A layer with `experts` has as many
    pairs of factors, and its file has them transposed, too.
    """

    path: str  # of the layer in the model, such as "model.layers.0.self_attn.q_proj"
    a: str
    b: str
    magnitude: str
    inputs: int
    outputs: int
    rank: int
    scale: float
    is_transposed: bool
    item_bytes: int
    experts: int = 0  # of a layer with experts

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the layer's weights: (outputs, inputs), with the experts before them."""
        return (self.experts, self.outputs, self.inputs) if self.experts else (self.outputs, self.inputs)

    @property
    def padded_rank(self) -> int:
        return -(-self.rank // _RANK_STEP) * _RANK_STEP


@dataclass(frozen=True)
class LoraFiles:
    """An adapter as its files describe it."""

    weights: Path
    layers: tuple[LoraLayer, ...]

    def resident_bytes(self, *, dequantises: bool) -> int:
        """Bytes of its factors once loaded; in fp32 where the worker dequantises.

        Those of single experts lie in one stack, in which each has as many as the largest.
        """
        experts: dict[str, list[int]] = defaultdict(list)
        numbers: dict[str, int] = defaultdict(int)
        for layer in self.layers:
            stack, number = _stack_of(layer.path)
            experts[stack].append(_bytes(layer, dequantises))
            numbers[stack] = max(numbers[stack], number + 1)
        return sum(max(sizes) * numbers[stack] for stack, sizes in experts.items())


@dataclass(frozen=True)
class _Form:
    """What differs between mlx-lm's files and PEFT's."""

    file: str
    prefix: str
    parts: Mapping[str, str]  # how names of tensors end, and what they are
    is_transposed: bool


_MLX = _Form(_MLX_FILE, "", {".lora_a": "a", ".lora_b": "b", ".m": "magnitude"}, False)
_PEFT = _Form(
    _PEFT_FILE,
    _PEFT_PREFIX,
    {
        ".lora_A.weight": "a",
        ".lora_B.weight": "b",
        ".lora_magnitude_vector": "magnitude",
        ".lora_magnitude_vector.weight": "magnitude",
    },
    True,
)


def read(folder: Path) -> LoraFiles:
    """An adapter's layers from its folder; raises BrokenLora, or OSError where the disk fails."""
    try:
        config = json_files.read_object(folder / CONFIG)
    except UnreadableJson:
        raise BrokenLora(f"its {CONFIG} cannot be read") from None
    if not config:
        raise BrokenLora(f"it has no {CONFIG}")
    form = _PEFT if "peft_type" in config else _MLX
    file = folder / form.file
    if not file.is_file():
        raise BrokenLora(f"it has no {form.file}")
    refuse = _refuse_peft if form is _PEFT else _refuse_mlx
    refuse(config)
    try:
        tensors = read_file(file)
    except BrokenWeights as error:
        raise BrokenLora(str(error)) from None
    return LoraFiles(file, tuple(_layers(form, config, tensors)))


def check_base(layers: Iterable[LoraLayer], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise BrokenLora for a layer that does not fit the model's (outputs, inputs), as far as that is known.

    An embedding's are (inputs, outputs), and (experts, outputs, inputs) those of a layer with experts. Layers
    that are not in `shapes` are not checked.
    """
    for layer in layers:
        found, ours = shapes.get(layer.path), {layer.shape}
        if not layer.experts:
            ours.add(layer.shape[::-1])
        if found is not None and found not in ours:
            raise BrokenLora(
                f"its layer {layer.path[:80]} is made for {_product(layer.shape)} numbers, and the model's "
                f"has {_product(found)}: it belongs to another model"
            )


def _stack_of(path: str) -> tuple[str, int]:
    """What stack a layer is in, and its number there; one that is no single expert's is alone in its own."""
    single = _EXPERT.search(path)
    return (f"{path[: single.start()]}.{path[single.end() :]}", int(single[1])) if single else (path, 0)


def _bytes(layer: LoraLayer, dequantises: bool) -> int:
    size = _FP32 if dequantises else layer.item_bytes
    vectors = 2 * layer.outputs if layer.magnitude else 0
    return (max(1, layer.experts) * layer.padded_rank * (layer.inputs + layer.outputs) + vectors) * size


def _product(shape: tuple[int, ...]) -> str:
    """A weight's shape as its owner reads it, inputs first."""
    *experts, outputs, inputs = shape
    return " x ".join(str(size) for size in (*experts, inputs, outputs))


def _refuse_mlx(config: Mapping[str, Any]) -> None:
    kind = config.get("fine_tune_type", "lora")
    if kind == "full":
        raise BrokenLora(f"it is a full fine-tune, not a LoRA; {_FUSE}")
    if kind not in {"lora", "dora"}:
        raise BrokenLora(f"its fine_tune_type is {str(kind)[:20]!r}, which this server does not support")


def _refuse_peft(config: Mapping[str, Any]) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise BrokenLora(f"its peft_type is {str(kind)[:20]!r}, and only LORA is served")
    if setting := next((name for name in _ELSEWHERE if config.get(name)), None):
        raise BrokenLora(f"it changes more than LoRA's layers ({setting}); {_FUSE}")
    if config.get("bias", "none") != "none":
        raise BrokenLora(f"it changes biases (bias: {str(config['bias'])[:20]}); {_FUSE}")
    if config.get("alpha_pattern") or config.get("fan_in_fan_out"):
        raise BrokenLora(f"it has an alpha_pattern or fan_in_fan_out; {_FUSE}")
    start = config.get("init_lora_weights", True)
    if start not in _PLAIN_STARTS:
        raise BrokenLora(
            f"its training changed the model itself (init_lora_weights: {str(start)[:20]}); {_FUSE}"
        )


def _layers(form: _Form, config: Mapping[str, Any], tensors: Iterable[Tensor]) -> Iterator[LoraLayer]:
    parts: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for tensor in tensors:
        path, part = _split(form, tensor)
        parts[path][part] = tensor
    if not parts:
        raise BrokenLora(f"its {form.file} has no tensors")
    for path, found in parts.items():
        yield _layer(form, config, path, found)


def _split(form: _Form, tensor: Tensor) -> tuple[str, str]:
    """The layer's path in the model, and which part of its change a tensor is."""
    name = tensor.name.removeprefix(form.prefix)
    for ending, part in form.parts.items():
        if name.endswith(ending):
            return name.removesuffix(ending), part
    raise BrokenLora(
        f"its tensor {tensor.name[:80]} is not part of a LoRA that this server can apply; {_FUSE}"
    )


def _layer(form: _Form, config: Mapping[str, Any], path: str, found: Mapping[str, Tensor]) -> LoraLayer:
    if not found.keys() >= {"a", "b"}:
        raise BrokenLora(f"its layer {path[:80]} has only one of its two factors")
    a, b, magnitude = found["a"], found["b"], found.get("magnitude")
    if odd := next((one for one in found.values() if one.dtype not in _FLOATS), None):
        raise BrokenLora(f"its tensor {odd.name[:80]} holds {odd.dtype} numbers")
    experts = _experts(form, path, found)
    is_transposed = form.is_transposed or bool(experts)
    (inputs, rank), (other, outputs) = (x.shape[-2:][:: -1 if is_transposed else 1] for x in (a, b))
    if rank != other or not 0 < rank <= _MOST_RANK or not (inputs and outputs):
        raise BrokenLora(
            f"the factors of its layer {path[:80]} do not fit each other: {a.shape} and {b.shape}"
        )
    if magnitude and magnitude.items != outputs:
        raise BrokenLora(f"the magnitudes of its layer {path[:80]} are {magnitude.items}, not {outputs}")
    if bool(magnitude) != _is_dora(form, config):
        raise BrokenLora(f"its layer {path[:80]} and its {CONFIG} disagree on whether it is DoRA")
    return LoraLayer(
        path=path,
        a=a.name,
        b=b.name,
        magnitude=magnitude.name if magnitude else "",
        inputs=inputs,
        outputs=outputs,
        rank=rank,
        scale=_scale(form, config, rank),
        is_transposed=is_transposed,
        item_bytes=max(one.bytes // one.items for one in (a, b)),
        experts=experts,
    )


def _experts(form: _Form, path: str, found: Mapping[str, Tensor]) -> int:
    """How many experts a layer has; 0 for one without. Raises BrokenLora for factors of other forms."""
    a, b = found["a"].shape, found["b"].shape
    if {len(a), len(b)} == {2}:
        return 0
    if {len(a), len(b)} != {3}:
        raise BrokenLora(f"the factors of its layer {path[:80]} are no matrices")
    if form is not _MLX or "magnitude" in found:
        how = "DoRA" if "magnitude" in found else "PEFT's form"
        raise BrokenLora(f"it changes the experts of {path[:80]} in {how}; {_FUSE}")
    if a[0] != b[0] or not a[0]:
        raise BrokenLora(f"the factors of its layer {path[:80]} do not fit each other: {a} and {b}")
    return a[0]


def _is_dora(form: _Form, config: Mapping[str, Any]) -> bool:
    return bool(config.get("use_dora")) if form is _PEFT else config.get("fine_tune_type") == "dora"


def _scale(form: _Form, config: Mapping[str, Any], rank: int) -> float:
    """What a layer's change is multiplied with."""
    if form is _PEFT:
        given_rank, alpha = config.get("r"), _number(config.get("lora_alpha"), "lora_alpha")
        if given_rank != rank and not config.get("rank_pattern"):
            raise BrokenLora(f"its {CONFIG} has the rank {str(given_rank)[:20]}, and its layers {rank}")
        return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    parameters = config.get("lora_parameters")
    if not isinstance(parameters, dict):
        raise BrokenLora(f"its {CONFIG} has no lora_parameters")
    if parameters.get("rank") != rank:
        given = str(parameters.get("rank"))[:20]
        raise BrokenLora(f"its {CONFIG} has the rank {given}, and its layers {rank}")
    return _number(parameters.get("scale"), "scale")


def _number(given: Any, name: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise BrokenLora(f"its {CONFIG} has no number for {name}")
    return float(given)
