"""Deepstack: features of several depths of a tower, added behind the first layers of the text model.

The features of a picture have a level for each of them, behind the level that the embedding puts in place.
"""

from functools import cache
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from inference.worker.vision.rows import current


class NoLayers(Exception):
    """The model has not as many layers as there are features to add."""


def install(model: nn.Module, levels: int) -> None:
    """Have the first layers of a model add the features of pictures, one level each; raises NoLayers."""
    layers = getattr(model, "layers", [])
    if len(layers) < levels:
        raise NoLayers(f"the model has {len(layers)} layers for {levels} levels of features")
    for level, layer in enumerate(layers[:levels], start=1):
        base: Any = type(layer)
        layer.__class__ = _adding(base)
        layer.level = level


@cache
def _adding(base: Any) -> Any:
    def call(self: Any, *inputs: Any, **options: Any) -> mx.array:
        states: mx.array = base.__call__(self, *inputs, **options)
        rows = current()
        return rows.add(states, self.level) if rows else states

    return type(f"Deep{base.__name__}", (base,), {"__call__": call})
