"""The masks of models in which each token of a picture attends to all of it, in both directions.

The rules are those of transformers' `create_masks_for_vision_model`: Gemma 3 attends so in all layers, the
larger models of Gemma 4 in those with a sliding window. Elsewhere attention stays causal. A window limits
what is before a token, so only later tokens of the same picture are added to a causal mask. mlx-lm knows none
of this; mlx-vlm generates causally with Gemma 3, and in all layers both ways with Gemma 4.

Pictures are whole in a pass (engine/segments.py), so the added keys are those of the pass: mlx-lm's caches
have them last.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx.core as mx

from inference.worker.vision.rows import current


def with_pictures(original: Callable[..., Any]) -> Callable[..., Any]:
    """mlx-lm's `create_attention_mask`, with what tokens of pictures see of their own."""

    @wraps(original)
    def make(
        h: mx.array, cache: Any = None, window_size: int | None = None, return_array: bool = False
    ) -> Any:
        added = _added(h.shape[1], has_window=window_size is not None)
        if added is None:
            return original(h, cache, window_size=window_size, return_array=return_array)
        mask = original(h, cache, window_size=window_size, return_array=True)
        before = mx.zeros((*added.shape[:-1], mask.shape[-1] - added.shape[-1]), mx.bool_)
        return mask | mx.concatenate([before, added], axis=-1)

    return make


def _added(length: int, *, has_window: bool) -> mx.array | None:
    """Which later tokens of the pass each token attends to: (B, 1, T, T); None for a causal pass."""
    rows = current()
    if rows is None or length == 1:
        return None
    if rows.attention == "causal" or (rows.attention == "both_ways_in_windows" and not has_window):
        return None
    numbers = rows.numbers(length)
    if (numbers < 0).all():
        return None
    own, other = mx.array(numbers)[:, None, :, None], mx.array(numbers)[:, None, None, :]
    later = mx.arange(length)[:, None] < mx.arange(length)
    return (own == other) & (own >= 0) & later
