"""The adapters of a loaded model that are in memory. Used on the engine's thread only."""

from collections.abc import Collection

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_unflatten

from inference.worker.lora.experts import EXPERTS, ChangedExperts
from inference.worker.lora.layers import Changed, ChangedEmbedding, ChangedLinear
from inference.worker.lora.weights import LoraWeights, Targets


class LoraStore:
    """Puts adapters into a model's layers and takes them out again; the base's weights stay as they are."""

    def __init__(self, model: nn.Module, layers: Targets) -> None:
        self._model = model
        self._layers = layers
        self._changed: dict[str, Changed] = {}  # by path
        self._paths: dict[str, tuple[str, ...]] = {}  # of each adapter's layers

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._paths)

    def add(self, weights: LoraWeights) -> None:
        """Add an adapter; after an error none of it is left."""
        self._paths[weights.key] = tuple(weights.factors)
        try:
            self._wrap(weights.factors)
            for path, factors in weights.factors.items():
                self._changed[path].put({weights.key: factors})
        except BaseException:
            self.remove([weights.key])
            raise
        mx.clear_cache()

    def remove(self, keys: Collection[str]) -> None:
        """Drop adapters; unknown keys are not there already."""
        for key in keys:
            for path in self._paths.pop(key, ()):
                if path in self._changed:
                    self._changed[path].remove([key])
        mx.clear_cache()

    def _wrap(self, paths: Collection[str]) -> None:
        """Put a changed layer in the place of each of the model's that no adapter has changed before."""
        fresh = {path: _changed(self._layers[path]) for path in paths if path not in self._changed}
        if fresh:
            self._model.update_modules(tree_unflatten(list(fresh.items())))
        self._changed |= fresh


def _changed(layer: nn.Module) -> Changed:
    if isinstance(layer, EXPERTS):
        return ChangedExperts(layer)
    is_embedding = isinstance(layer, nn.Embedding | nn.QuantizedEmbedding)
    return ChangedEmbedding(layer) if is_embedding else ChangedLinear(layer)
