"""Why a model decodes plainly, for its owner."""

import mlx.nn as nn
from mlx_lm.models.cache import KVCache, make_prompt_cache

from inference.core.model_card import Finding
from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.loaded_model import LoadedModel

_ROLLED_BACK = {KVCache.__name__, QuantizedKV.__name__}  # as rows of a batch


def findings_of(loaded: LoadedModel, speculation: str) -> tuple[Finding, ...]:
    """A finding if tokens are to be drafted for the model's requests and cannot be."""
    if speculation == "off" or loaded.pooling or not (reason := obstacle(loaded.model, loaded.support)):
        return ()
    text = f"No tokens are drafted for it, because {reason}. Its answers are the same without drafts."
    return (Finding(light="green", about="speculation", text=text),)


def obstacle(model: nn.Module, support: BatchSupport) -> str:
    """What keeps drafts from being verified; empty if nothing does."""
    if not support.can_batch:
        return "its requests are computed one at a time"
    others = sorted({type(layer).__name__ for layer in make_prompt_cache(model)} - _ROLLED_BACK)
    return f"its caches ({', '.join(others)}) cannot be rolled back" if others else ""
