"""Chooses from the times that were measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.core.cpu_tuning import ShapeClass
from inference.worker.calibration.products import DECODE_ROWS, PREFILL_ROWS, Product

Times = Mapping[Product, float]  # seconds of one product

_MARGIN = 0.95  # the default stays unless something takes at most this share of its time
_LAYERS = 30
# How often a step of the starter model multiplies with a weight of each class.
_IN_STEP: dict[ShapeClass, int] = {
    ShapeClass.OUTPUT: 3,
    ShapeClass.WIDE: 2 * _LAYERS,
    ShapeClass.SQUARE: 2 * _LAYERS,
    ShapeClass.NARROW: 3 * _LAYERS,
}


@dataclass(frozen=True)
class KernelChoice:
    """Kernels and threads; empty and 0 for those of the default."""

    kernels: str = ""
    threads: int = 0


def by_row(times: Times) -> tuple[ShapeClass, ...]:
    """The classes whose weights are better stored by row; by column is the default."""
    return tuple(shape for shape in ShapeClass if _layout_ratio(times, shape) < _MARGIN)


def cost(times: Times) -> float:
    """The mean time (geometric) of decode steps and a prefill, with the best layout of each class."""
    rows = by_row(times)
    steps = [
        sum(
            count * seconds
            for shape, count in _IN_STEP.items()
            if (seconds := times.get(Product(shape, number, shape in rows)))
        )
        for number in (*DECODE_ROWS, PREFILL_ROWS)
    ]
    return math.prod(steps) ** (1 / len(steps))


def best(measured: Mapping[KernelChoice, Times], default: KernelChoice) -> KernelChoice:
    """The choice with the lowest cost; the default unless another one is clearly better.

    Of choices that are about equal, the one with the fewest threads: the cores that it leaves alone serve
    the site, the text of the answers and the clients.
    """
    costs = {choice: cost(times) for choice, times in measured.items()}
    lowest = min(costs.values())
    near = [choice for choice, found in costs.items() if found * _MARGIN <= lowest]
    return min(near, key=lambda choice: (choice.threads or math.inf, choice != default, costs[choice]))


def fastest(rounds: Sequence[Times]) -> Times:
    """The shortest time of each product: other programs can only make one longer."""
    return {product: min(one[product] for one in rounds) for product in rounds[0]}


def _layout_ratio(times: Times, shape: ShapeClass) -> float:
    """The time by row in relation to the time by column, as a geometric mean over the numbers of rows."""
    ratios = [
        seconds / times[Product(shape, product.rows, False)]
        for product, seconds in times.items()
        if product.shape == shape and product.is_by_row
    ]
    return math.prod(ratios) ** (1 / len(ratios))
