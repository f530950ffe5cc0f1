"""Quantised KV caches for a loaded model, if its operator chose them and it can compute with them."""

import logging
from dataclasses import replace

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import make_prompt_cache

from inference.core.model_card import Finding, Light
from inference.worker.kv_quantization.packed_kv import PackedKV
from inference.worker.kv_quantization.plan import KVPlan, install, planned, probe, uninstall
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.probe import growing_bytes

logger = logging.getLogger(__name__)
_TOLERANCE = 0.05  # relative distance of logits that kernels in half precision have by rounding


def with_kv_bits(loaded: LoadedModel, bits: int) -> LoadedModel:
    """The model with KV caches of so many bits, 0 for whole ones, and what a token then adds to them.

    1. Plan which caches are quantised (plan.py).
    2. Compute a few tokens with unpacked numbers. A model that fails keeps whole caches.
    3. On a GPU, compute them with attention over packed numbers, too, and use that if the logits agree: some
       models calculate with their keys and values themselves. On a CPU the kernels for that are scalar code.
    4. Sum the bytes per token. A model that would take no fewer keeps whole caches.
    """
    if not bits:
        return loaded
    plan = planned(loaded.model, bits)
    if not plan.layouts:
        return _kept_whole(loaded, plan.whole)
    if not _works(loaded.model, plan):
        return _kept_whole(loaded, "the model cannot compute with quantised keys and values")
    if loaded.device == "gpu":
        _fuse(loaded.model, plan)
    quantised, whole = _bytes_per_token(loaded.model), loaded.kv_bytes_per_token
    if quantised >= whole:
        return _kept_whole(loaded, f"quantised, a token would take {quantised:,} bytes instead of {whole:,}")
    share = f"{len(plan.layouts)} of {len(plan.layouts) + len(plan.kept)} KV caches have {bits} bits"
    text = f"{share}. Whole: {plan.whole}. A token takes {quantised:,} bytes instead of {whole:,}."
    return _with_finding(replace(loaded, kv_bits=bits, kv_bytes_per_token=quantised), "green", text)


def _kept_whole(loaded: LoadedModel, why: str) -> LoadedModel:
    uninstall(loaded.model)
    return _with_finding(loaded, "amber", f"Its KV cache stays whole: {why}.")


def _bytes_per_token(model: nn.Module) -> int:
    """What a token adds to the model's caches, and to the unpacked copy of one layer while it is used."""
    caches = make_prompt_cache(model)
    mx.eval(model(mx.array([[0]]), cache=caches))
    copies = [cache.unpacked_bytes_per_token for cache in caches if isinstance(cache, PackedKV)]
    return growing_bytes(caches) + max(copies)


def _works(model: nn.Module, plan: KVPlan) -> bool:
    """Whether the model computes numbers with these caches, which it has from now on."""
    install(model, plan)
    try:
        return bool(mx.isfinite(probe(model)).any().item())
    except Exception as error:  # whatever a model does with its caches, it is served with whole ones
        logger.warning("The model cannot use quantised KV caches: %r", error)
        return False


def _fuse(model: nn.Module, plan: KVPlan) -> None:
    """Have attention multiply by packed numbers, if it computes the same."""
    unpacked = probe(model)
    install(model, plan.fused())
    try:
        agrees = _distance(probe(model), unpacked) <= _TOLERANCE
    except Exception as error:
        logger.info("Attention over packed keys fails in this model: %r", error)
        agrees = False
    if not agrees:
        install(model, plan)


def _distance(one: mx.array, other: mx.array) -> float:
    """The largest relative distance of the tokens' logits, (tokens, V)."""
    finite = mx.isfinite(one) & mx.isfinite(other)
    difference, size = (mx.where(finite, array, 0) for array in (one - other, other))
    return float((mx.linalg.norm(difference, axis=-1) / mx.linalg.norm(size, axis=-1)).max().item())  # type: ignore[arg-type]


def _with_finding(loaded: LoadedModel, light: Light, text: str) -> LoadedModel:
    return replace(loaded, findings=(*loaded.findings, Finding(light=light, about="kv_cache", text=text)))
