"""Which pictures each row of a forward pass has, and where in its prompt the pass begins.

The engine sets the rows around each call of the model that computes a part of a prompt; the embedding
(seeing_embedding.py) reads them. All of it happens on the engine's thread. Outside of `picture_rows` image
tokens are ordinary tokens.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import mlx.core as mx
import numpy as np

from inference.worker.vision.places import Pictures


class PictureRow:
    """The pictures of one sequence with those of their features, by number, that its prefill still needs."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.features: dict[int, mx.array] = {}


class Pass:
    """A forward pass of B rows; each computes the tokens of its sequence from one of `starts` on."""

    def __init__(self, rows: Sequence[PictureRow | None], starts: Sequence[int]) -> None:
        self._rows = list(zip(rows, starts, strict=True))

    def put(self, embeddings: mx.array) -> mx.array:
        """Embeddings (B, T, hidden), with the features of pictures where their tokens are."""
        rows, length, hidden = embeddings.shape
        places: list[np.ndarray[tuple[int], np.dtype[np.int32]]] = []
        features: list[mx.array] = []
        for number, (row, start) in enumerate(self._rows):
            for one, positions in _within(row, start, length):
                places.append(number * length + positions - start)
                features.append(one)
        if not places:
            return embeddings
        flat = embeddings.reshape(rows * length, hidden)
        flat[mx.array(np.concatenate(places))] = mx.concatenate(features).astype(embeddings.dtype)
        return flat.reshape(rows, length, hidden)


def _within(
    row: PictureRow | None, start: int, length: int
) -> Iterator[tuple[mx.array, "np.ndarray[tuple[int], np.dtype[np.int32]]"]]:
    """The features of a row that stand at `length` tokens from `start` on, with their positions."""
    for number, one in enumerate(row.pictures.placed if row else ()):
        first, last = np.searchsorted(one.positions, (start, start + length)).tolist()
        if row and first < last:
            yield row.features[number][first:last], one.positions[first:last]


_current: Pass | None = None


def current() -> Pass | None:
    """The forward pass that is being built; None if none of its rows has pictures."""
    return _current


@contextmanager
def picture_rows(rows: Sequence[PictureRow | None], starts: Sequence[int]) -> Iterator[None]:
    """Build a forward pass of prompts with these pictures."""
    global _current
    if not any(rows):
        yield
        return
    _current = Pass(rows, starts)
    try:
        yield
    finally:
        _current = None
