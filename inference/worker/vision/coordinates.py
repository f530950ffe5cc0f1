"""Where tokens stand in time, height and width: what models with M-RoPE count instead of plain positions.

A text counts on in all three at once. The tokens of a picture share one time, and have the row and column of
their place in it; the text behind it goes on after its last row or column, whichever is further. So a picture
takes fewer positions than tokens: 100 x 100 tokens take 100.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Coordinates = np.ndarray[Any, np.dtype[np.int32]]
Grid = tuple[int, int]  # rows and columns of a picture's tokens


def shift_of(grid: Grid) -> int:
    """What the tokens behind a picture have to be counted on by, compared with their numbers."""
    rows, columns = grid
    return max(rows, columns) - rows * columns


def coordinates_of(pictures: Sequence[tuple[int, Grid]], length: int) -> Coordinates:
    """Time, row and column of each of so many tokens, (3, length); a picture begins at its first number."""
    made = np.empty((3, length), np.int32)
    shift, done = 0, 0
    for start, (rows, columns) in pictures:
        made[:, done:start] = np.arange(done, start) + shift
        number = np.arange(rows * columns)
        done = start + len(number)
        grid = np.stack([np.zeros_like(number), number // columns, number % columns])
        made[:, start:done] = start + shift + grid
        shift += shift_of((rows, columns))
    made[:, done:] = np.arange(done, length) + shift
    return made
