"""The embedding of a model that sees: it puts the features of pictures where their tokens are."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from inference.worker.vision.rows import current

_NAME = "embed_tokens"


class NoEmbedding(Exception):
    """The model has no embedding of the name that all of mlx-lm's models with vision give it."""


def install(model: nn.Module) -> None:
    """Have the embedding of a model look for pictures; raises NoEmbedding."""
    found = [layer for path, layer in model.named_modules() if path.rpartition(".")[2] == _NAME]
    if len(found) != 1:
        raise NoEmbedding(f"the model has {len(found)} layers named {_NAME}")
    # The layer stays what it is, by name and type, for everything else that looks for it.
    base: Any = type(found[0])
    found[0].__class__ = _seeing(base)


@cache
def _seeing(base: Any) -> Any:
    def call(self: Any, ids: mx.array) -> mx.array:
        return seeing(self, ids, partial(base.__call__, self))

    return type(f"Seeing{base.__name__}", (base,), {"__call__": call, "seeing": seeing})


def seeing(self: Any, ids: mx.array, embed: Callable[[mx.array], mx.array]) -> mx.array:
    """What `embed` makes of the tokens, with the pictures in their places."""
    embeddings = embed(ids)
    rows = current()
    return rows.put(embeddings) if rows else embeddings
