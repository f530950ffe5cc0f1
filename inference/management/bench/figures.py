"""The results of a row: spreads over the repetitions, ratios within a run, and targets for them."""

import statistics
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct


class Spread(Struct, frozen=True, kw_only=True):
    """One quantity over all repetitions."""

    median: float
    least: float
    most: float


class Aim(Struct, frozen=True, kw_only=True):
    """A target for the ratio to the other side, or for our own value."""

    sign: Literal[">=", "<=", "<"]
    value: float
    of: Literal["ratio", "ours"] = "ratio"

    def is_met_by(self, value: float) -> bool:
        if self.sign == ">=":
            return value >= self.value
        return value < self.value or (self.sign == "<=" and value == self.value)


class Figure(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    row: str
    what: str
    unit: str
    ours: Spread | None = None
    other: Spread | None = None
    against: str = ""  # the name of the other side
    ratio: Spread | None = None  # ours to the other's, repetition by repetition
    aim: Aim | None = None
    is_met: bool | None = None  # None: there is no target, or no value
    notes: tuple[str, ...] = ()


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of the values; None if there are none."""
    if not values:
        return None
    return Spread(median=statistics.median(values), least=min(values), most=max(values))


def figure(
    row: str,
    what: str,
    unit: str,
    ours: Sequence[float | None],
    other: Sequence[float | None] = (),
    *,
    against: str = "",
    aim: Aim | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """A figure from one value per repetition; None stands for a repetition that failed.

    Ratios compare values that were measured one after the other, so that a slow minute affects both.
    """
    pairs = zip(ours, other, strict=True) if other else ()
    ratio = spread(
        [our_value / other_value for our_value, other_value in pairs if our_value is not None and other_value]
    )
    our_spread = spread([value for value in ours if value is not None])
    judged = our_spread if aim and aim.of == "ours" else ratio
    return Figure(
        row=row,
        what=what,
        unit=unit,
        ours=our_spread,
        other=spread([value for value in other if value is not None]),
        against=against if other else "",
        ratio=ratio,
        aim=aim,
        is_met=aim.is_met_by(judged.median) if aim and judged else None,
        notes=tuple(dict.fromkeys(notes)),
    )
