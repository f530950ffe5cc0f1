"""Adapters of single experts, as PEFT has them, for models that have all experts of a layer in one.

Where transformers has a linear layer for each expert, `mlp.experts.3.up_proj`, mlx-lm has one layer for all,
`mlp.switch_mlp.up_proj`. The factors of its experts are stacked; an expert that stays as it is has zeros.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import mlx.core as mx

from inference.repository.files.lora import BrokenLora
from inference.worker.lora.layers import Factors

_SINGLE = re.compile(r"(?P<block>.+)\.experts\.(?P<number>\d{1,5})\.(?P<name>\w+)")
_MODULES = ("switch_mlp", "experts", "switch_glu")  # how mlx-lm's models name them
_NAMES = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}  # of Mixtral's layers


class Expert(NamedTuple):
    """One expert of a layer that has them all."""

    path: str  # of the layer
    number: int


def places_of(path: str) -> list[Expert]:
    """Where a model may have the layer of a single expert with this path; none for any other path."""
    if not (single := _SINGLE.fullmatch(path)):
        return []
    name = _NAMES.get(single["name"], single["name"])
    return [Expert(f"{single['block']}.{module}.{name}", int(single["number"])) for module in _MODULES]


def stacked(experts: Mapping[int, Factors], count: int) -> Factors:
    """The factors of a layer with `count` experts; raises BrokenLora for one that it does not have."""
    if (last := max(experts)) >= count:
        raise BrokenLora(f"it changes the expert {last}, and the model has {count} in a layer")
    rank = max(one.a.shape[-1] for one in experts.values())
    padded = {
        number: (_padded(one.a, rank, axis=1), _padded(one.b, rank, axis=0))
        for number, one in experts.items()
    }
    none = tuple(map(mx.zeros_like, next(iter(padded.values()))))
    pairs = [padded.get(number, none) for number in range(count)]
    a, b = (mx.stack(list(factors)) for factors in zip(*pairs, strict=True))
    mx.eval(a, b)
    return Factors(a, b)


def _padded(factor: mx.array, rank: int, axis: int) -> mx.array:
    missing = [(0, 0), (0, 0)]
    missing[axis] = (0, rank - factor.shape[axis])
    return mx.pad(factor, missing)
