"""Every patch of mlx-lm by this server.

Each patch replaces a function or class of mlx-lm by its name. A name that an upgrade has removed raises
UnknownMlxLm at the start.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx.core as mx
from mlx_lm.generate import GenerationBatch, PromptProcessingBatch
from mlx_lm.models import cache as mlx_caches
from mlx_lm.models.cache import RotatingKVCache

from inference.worker.kv_quantization.quantized_kv import QuantizedKV
from inference.worker.lora.experts import with_known_order


class UnknownMlxLm(RuntimeError):
    """The installed mlx-lm has no such name: the patch must be reviewed."""


def patch_models() -> None:
    """Patch bugs of mlx-lm's models, and what adapters of experts have to know. Idempotent.

    Raises UnknownMlxLm.
    """
    gemma2 = importlib.import_module("mlx_lm.models.gemma2")
    _wrap(gemma2.Attention, "__call__", _with_grouped_mask)
    _wrap(importlib.import_module("mlx_lm.models.ssm"), "ssm_attn", _with_state_at_each_end)
    _wrap(importlib.import_module("mlx_lm.models.plamo3").Model, "make_cache", _with_window_of_the_mask)
    _wrap(importlib.import_module("mlx_lm.models.switch_layers"), "_gather_sort", with_known_order)
    _add_cache_type(QuantizedKV)


def install_decode_step(step: type[GenerationBatch]) -> None:
    """Make mlx-lm's BatchGenerator decode with `step`. Idempotent. Raises UnknownMlxLm."""
    # By its full name: the attribute `mlx_lm.generate` is a function that hides the module.
    generate = importlib.import_module("mlx_lm.generate")
    # BatchGenerator wires the whole recommended working set in its constructor. On macOS that ends in kernel
    # panics under load (https://github.com/ml-explore/mlx/issues/3186), so wiring is the operator's setting.
    _replace(generate, "maybe_set_recommended_wired_limit", _wire_nothing)
    # BatchGenerator looks this name up whenever prompts become decoding sequences.
    _replace(generate, "GenerationBatch", step)


def install_prefill(prefill: type[PromptProcessingBatch]) -> None:
    """Make mlx-lm's BatchGenerator prefill with `prefill`. Idempotent. Raises UnknownMlxLm."""
    # BatchGenerator looks this name up whenever prompts begin.
    _replace(importlib.import_module("mlx_lm.generate"), "PromptProcessingBatch", prefill)


def install_mask(kind: str, wrapping: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wrap the function that makes the masks of mlx-lm's text models of a kind. Idempotent.

    Raises UnknownMlxLm.
    """
    _wrap(importlib.import_module(f"mlx_lm.models.{kind}"), "create_attention_mask", wrapping)


def _wire_nothing() -> None:
    return None


def _with_grouped_mask(original: Callable[..., Any]) -> Callable[..., Any]:
    """Gemma 2's attention with a mask (B, 1, 1, L, T) for its scores (B, key heads, shared, L, T).

    mlx-lm's mask of a batch lacks the axis of the query heads that share a key head: rows of a batch fail or
    use each other's masks (https://github.com/ml-explore/mlx-lm/issues/736).
    """

    @wraps(original)
    def attend(self: Any, x: mx.array, mask: Any = None, cache: Any = None) -> mx.array:
        if self.repeats > 1 and isinstance(mask, mx.array) and mask.ndim == 4:
            mask = mask[:, :, None]
        made: mx.array = original(self, x, mask, cache)
        return made

    return attend


def _with_state_at_each_end(original: Callable[..., Any]) -> Callable[..., Any]:
    """The state of a state-space layer at the end of each row, not at the end of the right-padded chunk.

    mlx-lm computes a chunk in blocks of 256 tokens. It takes the length of a row as if each block were whole,
    reads beyond a shorter block, and changes the state of a row that ended in an earlier block. Nemotron-H
    does not pass the lengths at all (https://github.com/ml-explore/mlx-lm/issues/690); they are the sums of
    the mask.
    """

    @wraps(original)
    def attend(  # the arguments of mlx_lm.models.ssm.ssm_attn, x and dt of shape (rows, tokens, ...)
        x: mx.array,
        A_log: mx.array,
        B: mx.array,
        C: mx.array,
        D: mx.array,
        dt: mx.array,
        dt_bias: mx.array,
        state: mx.array | None = None,
        time_step_limit: tuple[float, float] = (0.001, 100.0),
        mask: mx.array | None = None,
        lengths: mx.array | None = None,
        step: int = 256,
    ) -> Any:
        if lengths is None and mask is None:
            return original(x, A_log, B, C, D, dt, dt_bias, state, time_step_limit, step=step)
        remaining = mask.astype(mx.int32).sum(axis=-1) if lengths is None else lengths  # type: ignore[union-attr]
        outputs = []
        for start in range(0, x.shape[1], step):
            part = slice(start, min(start + step, x.shape[1]))
            ends = mx.clip(remaining - start, 0, part.stop - start)
            output, following = original(
                *(x[:, part], A_log, B[:, part], C[:, part], D, dt[:, part], dt_bias, state, time_step_limit),
                mask=None if mask is None else mask[..., part],
                lengths=ends,
                step=step,
            )
            before = mx.zeros_like(following) if state is None else state
            state = mx.where(mx.expand_dims(ends == 0, (1, 2, 3)), before, following)
            outputs.append(output)
        return mx.concatenate(outputs, axis=1), state

    return attend


def _with_window_of_the_mask(original: Callable[..., Any]) -> Callable[..., Any]:
    """PLaMo 3's mask has a window one token larger than its cache: answers depended on the chunks."""

    @wraps(original)
    def make_cache(self: Any) -> list[Any]:
        caches: list[Any] = original(self)
        for layer in caches:
            if isinstance(layer, RotatingKVCache):
                layer.max_size = self.config.window_size + 1
        return caches

    return make_cache


def _add_cache_type(ours: type[Any]) -> None:
    """Have mlx-lm's load_prompt_cache know a cache of ours: it looks a type up by name in its own module."""
    known = getattr(mlx_caches, ours.__name__, ours)
    if known is not ours:
        raise UnknownMlxLm(f"mlx-lm has a {ours.__name__} of its own now")
    setattr(mlx_caches, ours.__name__, ours)


def _replace(owner: Any, name: str, ours: Any) -> None:
    if not hasattr(owner, name):
        raise UnknownMlxLm(f"mlx-lm has no {owner.__name__}.{name} any more")
    setattr(owner, name, ours)


def _wrap(owner: Any, name: str, wrapping: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Like _replace, around what is there, once."""
    if not hasattr(owner, name):
        raise UnknownMlxLm(f"mlx-lm has no {owner.__name__}.{name} any more")
    original = getattr(owner, name)
    if not hasattr(original, "__wrapped__"):
        setattr(owner, name, wrapping(original))
