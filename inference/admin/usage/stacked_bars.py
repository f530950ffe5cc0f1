"""Stacked bars as the rectangles of an SVG, for a page without JavaScript."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

WIDTH, HEIGHT = 1000, 200
_GAP = 0.15  # of the width of a bar


class Rectangle(Struct, frozen=True, kw_only=True):
    """One part of a bar; `series` is the number of its colour."""

    series: int
    x: float
    y: float
    width: float
    height: float


def rectangles(series: Sequence[Sequence[int]]) -> Iterator[Rectangle]:
    """The parts above zero; the highest bar fills the picture, the first series is at the bottom."""
    columns = list(zip(*series, strict=True))
    most = max(map(sum, columns), default=0)
    for position, column in enumerate(columns):
        below = 0
        step = WIDTH / len(columns)
        for number, value in enumerate(column):
            if not value:
                continue
            below += value
            yield Rectangle(
                series=number,
                x=round((position + _GAP / 2) * step, 2),
                y=round(HEIGHT - HEIGHT * below / most, 2),
                width=round(step * (1 - _GAP), 2),
                height=round(HEIGHT * value / most, 2),
            )
