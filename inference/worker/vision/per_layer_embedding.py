"""Gemma 4's embedding of tokens for each layer, in which all tokens of pictures are those of padding.

That is what transformers makes of them: pictures have features for the first layer only.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from inference.worker.vision.rows import current
from inference.worker.vision.seeing_embedding import NoEmbedding

_NAME = "embed_tokens_per_layer"
_PADDING = 0


def install(model: nn.Module) -> None:
    """Hide pictures from this embedding of a model; raises NoEmbedding."""
    found = [layer for path, layer in model.named_modules() if path.rpartition(".")[2] == _NAME]
    if len(found) != 1:
        raise NoEmbedding(f"the model has {len(found)} layers named {_NAME}")
    base: Any = type(found[0])
    found[0].__class__ = _hiding(base)


@cache
def _hiding(base: Any) -> Any:
    def call(self: Any, ids: mx.array) -> mx.array:
        return seeing(self, ids, partial(base.__call__, self))

    return type(f"Hiding{base.__name__}", (base,), {"__call__": call, "seeing": seeing})


def seeing(self: Any, ids: mx.array, embed: Callable[[mx.array], mx.array]) -> mx.array:
    """What `embed` makes of the tokens, without those of pictures."""
    rows = current()
    if rows is None:
        return embed(ids)
    return embed(mx.where(mx.array(rows.numbers(ids.shape[1]) < 0), ids, _PADDING))
