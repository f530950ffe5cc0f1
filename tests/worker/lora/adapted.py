"""A tiny model with adapters in it, and the models that mlx-lm makes of the same adapters."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_unflatten
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model

from inference.core.requests import Lora
from inference.worker.lora.store import LoraStore
from inference.worker.lora.weights import read, targets
from inference.worker.model.mlx_lm_patches import patch_models


def lora_of(folder: Path, version: str = "1") -> Lora:
    return Lora(name=folder.name, path=str(folder), version=version)


def adapted(model: nn.Module, *folders: Path) -> nn.Module:
    """The model with these adapters in memory."""
    patch_models()
    layers = targets(model)
    store = LoraStore(model, layers)
    for folder in folders:
        store.add(read(lora_of(folder), layers, is_cpu=True))
    return model


def fused(base: Path, adapter: Path) -> nn.Module:
    """The model that `mlx_lm.fuse` makes of a base and an adapter in mlx-lm's form, in fp32."""
    model: Any = load_model(base)[0]
    model.set_dtype(mx.float32)
    return fused_into(model, adapter)


def fused_into(model: Any, adapter: Path) -> nn.Module:
    """The same of a model in memory, which is changed."""
    load_adapters(model, str(adapter))
    layers = [(path, layer.fuse()) for path, layer in model.named_modules() if hasattr(layer, "fuse")]
    assert layers
    model.update_modules(tree_unflatten(layers))
    made: nn.Module = model
    return made
