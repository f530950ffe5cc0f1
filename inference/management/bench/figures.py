"""What a row measures: spreads over the repetitions, ratios of one run, and the aims they are held to."""

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
    """What `of` has to be: the ratio to the other side, or our own figure."""

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
    against: str = ""  # what the other side is
    ratio: Spread | None = None  # ours to the other's, repetition by repetition
    aim: Aim | None = None
    is_met: bool | None = None  # None: there is no aim, or nothing was measured
    notes: tuple[str, ...] = ()


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of what was measured; None when nothing was."""
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
    """A figure from one value a repetition; None is a repetition that failed.

    The ratios are of pairs measured next to each other, so that a slow minute of the machine hits both.
    """
    pairs = zip(ours, other, strict=True) if other else ()
    ratio = spread([mine / yours for mine, yours in pairs if mine is not None and yours])
    mine = spread([value for value in ours if value is not None])
    judged = mine if aim and aim.of == "ours" else ratio
    return Figure(
        row=row,
        what=what,
        unit=unit,
        ours=mine,
        other=spread([value for value in other if value is not None]),
        against=against if other else "",
        ratio=ratio,
        aim=aim,
        is_met=aim.is_met_by(judged.median) if aim and judged else None,
        notes=tuple(dict.fromkeys(notes)),
    )
