"""The weights of a model folder, from disk onto the device."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from inference.worker.model.load_failure import RefusedModel

_CHUNK_BYTES = 64 * 2**20


def lazy_model(folder: Path, how: Mapping[str, Any]) -> nn.Module:
    """The model with weights that are not read yet; `how` are more arguments of mlx-lm's load_model.

    Raises RefusedModel if mlx-lm needs a package that is not installed, else what load_model raises.
    """
    try:
        model: nn.Module = load_model(folder, lazy=True, trust_remote_code=False, **how)[0]
    except SystemExit:
        # mlx-lm's module for OLMo exits when a package is missing, which would end this thread silently.
        raise RefusedModel("mlx-lm needs another package for this kind of model; the log names it") from None
    return model


def materialise(model: nn.Module, on_progress: Callable[[int], None]) -> None:
    """Read the lazy weights in chunks of 64 MiB, for progress in percent and a low peak of memory."""
    total = sum(array.nbytes for _, array in tree_flatten(model.parameters()))
    done = 0
    for chunk in _chunks(model):
        mx.eval(chunk)
        done += sum(array.nbytes for array in chunk)
        on_progress(100 * done // max(total, 1))
    mx.clear_cache()


def _chunks(model: nn.Module) -> Iterator[list[mx.array]]:
    chunk: list[mx.array] = []
    for _, array in tree_flatten(model.parameters()):
        chunk.append(array)
        if sum(a.nbytes for a in chunk) >= _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
