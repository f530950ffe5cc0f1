"""Which of a model's caches are quantised, and how the model makes them from then on.

These stay whole:

- The last layer of full attention, and layers with attention sinks, whose softmax has a learnt term: a small
  error of their scores changes the most of an answer (mlx-vlm leaves the last one whole, too).
- Sliding windows and recurrent states: they do not grow, and mlx-lm cannot quantise them.
- Layers of head sizes that no group size divides, and caches that a model reads itself (CacheList).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.models.cache import KVCache, make_prompt_cache

from inference.worker.kv_quantization.packed_numbers import GROUP_SIZES, PackedLayout, group_size_for
from inference.worker.kv_quantization.quantized_kv import QuantizedKV

_SINK_NAMES = ("sinks", "attention_sink_bias")  # how mlx-lm's models name them
NO_GROWTH = "no growth, or read by the model itself"  # why a cache stays whole
SINKS = "attention sinks"
_PROBE = ([0, 1, 2, 3], [1])  # a prompt and a token after it, of ids that every vocabulary has


@dataclass(frozen=True)
class KVPlan:
    """The layout of each cache that is quantised, by its place; `kept` says why each other cache is whole."""

    bits: int
    layouts: dict[int, PackedLayout]
    kept: dict[int, str]

    def fused(self) -> "KVPlan":
        """The same plan, with attention over packed numbers."""
        layouts = {place: replace(layout, is_fused=True) for place, layout in self.layouts.items()}
        return replace(self, layouts=layouts)

    @property
    def whole(self) -> str:
        """How many caches stay whole, for each reason; empty if none does."""
        return ", ".join(f"{count} ({reason})" for reason, count in Counter(self.kept.values()).items())

    def applied(self, caches: Sequence[Any]) -> list[Any]:
        """These new caches, with a quantised one in each planned place."""
        return [
            QuantizedKV(self.layouts[place]) if place in self.layouts else cache
            for place, cache in enumerate(caches)
        ]


def planned(model: nn.Module, bits: int) -> KVPlan:
    """The plan for a model whose caches are whole; it computes a few tokens to learn the sizes of heads."""
    caches = make_prompt_cache(model)
    mx.eval(model(mx.array([_PROBE[0]]), cache=caches))
    full = [place for place, cache in enumerate(caches) if type(cache) is KVCache and not cache.empty()]
    sinks = _with_sinks(model, len(caches))
    layouts: dict[int, PackedLayout] = {}
    kept: dict[int, str] = {}
    for place, cache in enumerate(caches):
        sizes = (cache.keys.shape[-1], cache.values.shape[-1]) if place in full else ()
        if place not in full:
            kept[place] = NO_GROWTH
        elif place in sinks:
            kept[place] = SINKS
        elif place == full[-1]:
            kept[place] = "the last layer with full attention"
        elif size := group_size_for(*sizes):
            layouts[place] = PackedLayout(bits, size)
        else:
            kept[place] = f"heads that are no multiple of {GROUP_SIZES[-1]} numbers"
    return KVPlan(bits, layouts, kept)


def install(model: nn.Module, plan: KVPlan) -> None:
    """Have the model make its caches by the plan, for everything that calls mlx-lm's make_prompt_cache."""
    uninstall(model)
    original = getattr(model, "make_cache", None)

    def make_cache() -> list[Any]:
        whole = original() if original else [KVCache() for _ in model.layers]
        return plan.applied(whole)

    model.make_cache = make_cache


def uninstall(model: nn.Module) -> None:
    """Have the model make whole caches again."""
    vars(model).pop("make_cache", None)


def probe(model: nn.Module) -> mx.array:
    """The logits of a few tokens with the caches that the model makes, (tokens, V) fp32."""
    caches = make_prompt_cache(model)
    made = [model(mx.array([tokens]), cache=caches)[0].astype(mx.float32) for tokens in _PROBE]
    logits = mx.concatenate(made)
    mx.eval(logits)
    return logits


def _with_sinks(model: nn.Module, caches: int) -> set[int]:
    """The places of caches whose layer has attention sinks; all places if there is no cache a layer."""
    layers = list(model.layers)
    found = {
        place
        for place, layer in enumerate(layers)
        if any(name.rpartition(".")[2] in _SINK_NAMES for name, _ in tree_flatten(layer.parameters()))
    }
    return found if len(layers) == caches or not found else set(range(caches))
