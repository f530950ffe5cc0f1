"""What this server changes in mlx-lm, all in one place.

Each change puts a function or class of ours in the place of one of mlx-lm's, by its name. A name that is gone
after an upgrade ends the start instead of being set for nobody.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx.core as mx
from mlx_lm.generate import GenerationBatch
from mlx_lm.models.cache import RotatingKVCache


class UnknownMlxLm(RuntimeError):
    """The installed mlx-lm has no such name any more: this change has to be looked at again."""


def patch_models() -> None:
    """Mend what is wrong in mlx-lm's models; doing it again changes nothing."""
    gemma2 = importlib.import_module("mlx_lm.models.gemma2")
    _wrap(gemma2.Attention, "__call__", _with_grouped_mask)
    _wrap(importlib.import_module("mlx_lm.models.ssm"), "ssm_attn", _with_state_at_each_end)
    _wrap(importlib.import_module("mlx_lm.models.plamo3").Model, "make_cache", _as_wide_as_the_mask)


def install_decode_step(step: type[GenerationBatch]) -> None:
    """Let mlx-lm's BatchGenerator decode with our step; doing it again changes nothing."""
    # By its full name: the attribute `mlx_lm.generate` is a function that hides the module.
    generate = importlib.import_module("mlx_lm.generate")
    # BatchGenerator wires the whole recommended working set in its constructor. On macOS that ends in kernel
    # panics under load (https://github.com/ml-explore/mlx/issues/3186), so wiring is the operator's setting.
    _replace(generate, "maybe_set_recommended_wired_limit", _wire_nothing)
    # BatchGenerator looks this name up whenever prompts become decoding sequences.
    _replace(generate, "GenerationBatch", step)


def _wire_nothing() -> None:
    return None


def _with_grouped_mask(original: Callable[..., Any]) -> Callable[..., Any]:
    """Gemma 2's scores have an axis for the query heads that share a key head, and a batch's mask lacks it:
    rows of a batch fail or take each other's masks (https://github.com/ml-explore/mlx-lm/issues/736).
    """

    @wraps(original)
    def attend(self: Any, x: mx.array, mask: Any = None, cache: Any = None) -> mx.array:
        if self.repeats > 1 and isinstance(mask, mx.array) and mask.ndim == 4:
            mask = mask[:, :, None]
        made: mx.array = original(self, x, mask, cache)
        return made

    return attend


def _with_state_at_each_end(original: Callable[..., Any]) -> Callable[..., Any]:
    """A state-space layer's state where each row of a padded chunk ends, not where the chunk does.

    mlx-lm looks for a row's end in every 256 tokens of a chunk as if each of these were whole, reads beyond a
    shorter one, moves the state of a row that has ended at such a boundary, and Nemotron-H does not tell the
    lengths at all (https://github.com/ml-explore/mlx-lm/issues/690). The mask tells them: rows are padded on
    the right.
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
        left = mask.astype(mx.int32).sum(axis=-1) if lengths is None else lengths  # type: ignore[union-attr]
        outputs = []
        for start in range(0, x.shape[1], step):
            part = slice(start, min(start + step, x.shape[1]))
            ends = mx.clip(left - start, 0, part.stop - start)
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


def _as_wide_as_the_mask(original: Callable[..., Any]) -> Callable[..., Any]:
    """PLaMo 3's mask shows a token one more than its cache keeps, so answers would depend on the chunks."""

    @wraps(original)
    def make_cache(self: Any) -> list[Any]:
        caches: list[Any] = original(self)
        for layer in caches:
            if isinstance(layer, RotatingKVCache):
                layer.max_size = self.config.window_size + 1
        return caches

    return make_cache


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
