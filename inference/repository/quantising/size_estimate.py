"""How large a model will be once it is quantised, guessed from the headers of its weights.

Like mlx-lm, with every matrix quantised whose rows are whole groups. Models that leave some alone become
larger; the report has the true size.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from inference.core.quantisation import QuantisationSettings
from inference.repository import memory_estimate
from inference.repository.files.safetensors import Tensor

_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")
_RECIPE = re.compile(r"mixed_(\d)_(\d)")
_HALF = 2
_SCALE_AND_BIAS = 2
_MOST_SHARD_BYTES = 5 * 2**30  # of one file: mlx_lm/utils.py, MAX_FILE_SIZE_GB
_PROCESS_BYTES = 600 * 10**6  # Python with mlx-lm and transformers
_LAYERS_AT_ONCE = 2  # one is read while another is written
_WORKSPACE = 1.1
_LOGIT_COPIES = 3  # as computed, as fp32, and what their sum is made of
_FP32 = 4


def quantised_bytes(tensors: Sequence[Tensor], settings: QuantisationSettings) -> int:
    """Bytes of the weights of the quantised model."""
    layers = 1 + max((_layer(tensor.name) for tensor in tensors), default=-1)
    return sum(_bytes(tensor, settings, layers) for tensor in tensors)


def quantising_bytes(tensors: Sequence[Tensor], settings: QuantisationSettings) -> int:
    """Memory that quantising takes: the file that is being made, and the layers on their way into it."""
    by_layer: dict[str, int] = {}
    for tensor in tensors:
        place = _LAYER.search(tensor.name)
        name = tensor.name[: place.end()] if place else tensor.name
        by_layer[name] = by_layer.get(name, 0) + tensor.bytes
    shard = min(quantised_bytes(tensors, settings), _MOST_SHARD_BYTES)
    return _PROCESS_BYTES + shard + _LAYERS_AT_ONCE * max(by_layer.values(), default=0)


def measuring_bytes(
    tensors: Sequence[Tensor], config: Mapping[str, Any], *, dequantises: bool, window: int
) -> int:
    """Memory that measuring takes: the whole source, one window of activations, and its logits."""
    weights = memory_estimate.weight_bytes(tensors, config, dequantises=dequantises)
    activations = memory_estimate.prefill_bytes(
        config, dequantises=dequantises, step=window, context_length=window
    )
    vocabulary = max((tensor.shape[0] for tensor in tensors if _is_embedding(tensor)), default=0)
    logits = _LOGIT_COPIES * _FP32 * window * vocabulary
    return _PROCESS_BYTES + int(weights * _WORKSPACE) + activations + logits


def _is_embedding(tensor: Tensor) -> bool:
    return len(tensor.shape) == 2 and tensor.shape[0] > tensor.shape[1]


def _bytes(tensor: Tensor, settings: QuantisationSettings, layers: int) -> int:
    if not _is_quantised(tensor, settings.group_size):
        return tensor.bytes
    number = min(tensor.bytes // tensor.items, _FP32) if tensor.items else _HALF
    groups = tensor.items // settings.group_size
    return tensor.items * _bits(tensor.name, settings, layers) // 8 + groups * _SCALE_AND_BIAS * number


def _is_quantised(tensor: Tensor, group: int) -> bool:
    is_matrix = len(tensor.shape) >= 2 and "conv" not in tensor.name and "norm" not in tensor.name
    return is_matrix and tensor.shape[-1] % group == 0


def _bits(name: str, settings: QuantisationSettings, layers: int) -> int:
    """The bits of one matrix: mlx-lm's recipes give more to some, see mlx_lm/convert.py."""
    mixed = _RECIPE.fullmatch(settings.recipe)
    if mixed is None:
        return settings.bits
    low, high = int(mixed[1]), int(mixed[2])
    if "lm_head" in name:
        return high
    place = max(0, _layer(name))
    is_important = place < layers // 8 or place >= 7 * layers // 8 or (place - layers // 8) % 3 == 2
    has_more = is_important and any(part in name for part in ("v_proj", "v_a_proj", "v_b_proj", "down_proj"))
    return high if has_more else low


def _layer(name: str) -> int:
    found = _LAYER.search(name)
    return int(found[1]) if found else -1
