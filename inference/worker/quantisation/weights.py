"""The weights of a model, quantised by mlx-lm and written file by file.

As mlx_lm/convert.py does it, except that the weights of one file are computed in chunks, for the progress and
for a low peak of memory, and that nothing is printed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_map, tree_map_with_path
from mlx_lm.convert import MODEL_CONVERSION_DTYPES, mixed_quant_predicate_builder
from mlx_lm.utils import load_config, make_shards, quantize_model, save_config

from inference.core.quantisation import QuantisationSettings
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.weights import lazy_model

_CHUNK_BYTES = 64 * 2**20


def quantised(folder: Path, settings: QuantisationSettings) -> tuple[nn.Module, dict[str, Any]]:
    """The quantised model, whose weights are not computed yet, and its config.json.

    Raises RefusedModel for a model of which nothing can be quantised like this, else what mlx-lm raises.
    """
    config = load_config(folder)
    model = lazy_model(folder, {})
    _set_type(model, config)
    group, bits = settings.group_size, None if settings.recipe else settings.bits
    choose = _recipe(settings, model) if settings.recipe else None
    model, config = quantize_model(model, config, group, bits, quant_predicate=choose)
    if not any(hasattr(layer, "scales") for _, layer in model.named_modules()):
        raise RefusedModel(f"none of its matrices has rows of whole groups of {group}; choose smaller groups")
    return model, config


def write(model: nn.Module, config: dict[str, Any], folder: Path, on_bytes: Callable[[int], None]) -> None:
    """Compute and write the weights, which the model loses by that, and then config.json.

    `on_bytes` gets the bytes that were computed, chunk by chunk.
    """
    weights: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    shards = make_shards(weights)
    places = {name: _file(number, len(shards)) for number, shard in enumerate(shards) for name in shard}
    total = sum(array.nbytes for array in weights.values())
    weights.clear()
    model.update(tree_map(lambda _: mx.array([]), model.parameters()))
    for number in range(len(shards)):
        for chunk in _chunks(shards[number]):
            mx.eval(chunk)
            on_bytes(sum(array.nbytes for array in chunk))
        mx.save_safetensors(
            str(folder / _file(number, len(shards))), shards[number], metadata={"format": "mlx"}
        )
        shards[number] = {}  # its memory, for the next one
        mx.clear_cache()
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))
    save_config(config, folder / "config.json")


def size(model: nn.Module) -> int:
    """Bytes of the weights."""
    return sum(array.nbytes for _, array in tree_flatten(model.parameters()))


def _set_type(model: nn.Module, config: Mapping[str, Any]) -> None:
    """Have the numbers that stay whole be of the type that config.json names, as mlx-lm has them."""
    inner = config.get("text_config") or {}
    name = str(config.get("torch_dtype") or inner.get("dtype"))
    if name not in MODEL_CONVERSION_DTYPES:
        return
    wanted = getattr(mx, name)
    is_cast = getattr(model, "cast_predicate", lambda _: True)

    def cast(path: str, array: mx.array) -> mx.array:
        return array.astype(wanted) if is_cast(path) and mx.issubdtype(array.dtype, mx.floating) else array

    model.update(tree_map_with_path(cast, model.parameters()))


def _recipe(settings: QuantisationSettings, model: nn.Module) -> Callable[..., Any]:
    try:
        choose: Callable[..., Any] = mixed_quant_predicate_builder(
            settings.recipe, model, settings.group_size
        )
    except (ValueError, AttributeError):
        raise RefusedModel(
            "recipes need layers named down_proj, which it has not; choose bits instead"
        ) from None
    return choose


def _file(number: int, count: int) -> str:
    return f"model-{number + 1:05d}-of-{count:05d}.safetensors" if count > 1 else "model.safetensors"


def _chunks(shard: Mapping[str, mx.array]) -> Iterator[list[mx.array]]:
    chunk: list[mx.array] = []
    for array in shard.values():
        chunk.append(array)
        if sum(one.nbytes for one in chunk) >= _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
