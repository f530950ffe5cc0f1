"""Which pictures each row of a forward pass has, and where in its prompt the pass begins.

The engine sets the rows around each call of the model; what was put into the model reads them: the embedding
(seeing_embedding.py), for some families the rotary positions (row_rope.py) and the first layers
(deepstack.py). All of it happens on the engine's thread. Outside of `picture_rows` image tokens are ordinary
tokens.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import mlx.core as mx
import numpy as np

from inference.worker.vision.places import Pictures
from inference.worker.vision.seen import Attention

Numbers = np.ndarray[tuple[int, int], np.dtype[np.int32]]

Indices = np.ndarray[Any, np.dtype[np.int32]]
T = TypeVar("T")


class PictureRow:
    """The pictures of one sequence with those of their features, by number, that its prefill still needs."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.features: dict[int, mx.array] = {}


class Pass:
    """A forward pass of B rows; each computes the tokens of its sequence from one of `starts` on."""

    def __init__(self, rows: Sequence[PictureRow | None], starts: Sequence[int]) -> None:
        self._rows = list(zip(rows, starts, strict=True))
        self._made: dict[Hashable, Any] = {}

    def put(self, embeddings: mx.array) -> mx.array:
        """Embeddings (B, T, hidden), with the features of pictures where their tokens are."""
        rows, length, hidden = embeddings.shape
        found = self._features(length, slice(0, hidden))
        if found is None:
            return embeddings
        places, features = found
        flat = embeddings.reshape(rows * length, hidden)
        flat[places] = features.astype(embeddings.dtype)
        return flat.reshape(rows, length, hidden)

    def add(self, states: mx.array, level: int) -> mx.array:
        """Hidden states (B, T, hidden), with the features of a level added where the pictures are."""
        rows, length, hidden = states.shape
        found = self._features(length, slice(level * hidden, (level + 1) * hidden))
        if found is None:
            return states
        places, features = found
        flat = states.reshape(rows * length, hidden)
        return flat.at[places].add(features.astype(states.dtype)).reshape(rows, length, hidden)

    def shift(self, length: int) -> int | mx.array | None:
        """What to count tokens on by, the same for all rows or (B,); None if some are those of a picture."""
        return self.once(("shift", length), lambda: self._shift(length))

    def _shift(self, length: int) -> int | mx.array | None:
        if any(_has_picture(row, start, length) for row, start in self._rows):
            return None
        shifts = [row.pictures.shift(start) if row else 0 for row, start in self._rows]
        return shifts[0] if len(set(shifts)) == 1 else mx.array(shifts)

    def coordinates(self, length: int) -> mx.array:
        """Time, row and column of each token: (B, 3, length) int32."""
        plain = np.arange(length, dtype=np.int32)
        return mx.array(
            np.stack(
                [
                    row.pictures.coordinates(start, length)
                    if row
                    else np.broadcast_to(start + plain, (3, length))
                    for row, start in self._rows
                ]
            )
        )

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, which all layers share."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def _features(self, length: int, part: slice) -> tuple[mx.array, mx.array] | None:
        """Where in (B x length) tokens pictures are, with this part of their features; None without any."""
        places: list[Indices] = []
        features: list[mx.array] = []
        for number, (row, start) in enumerate(self._rows):
            for one, positions in _within(row, start, length):
                places.append(number * length + positions - start)
                features.append(one[:, part])
        if not places:
            return None
        return mx.array(np.concatenate(places)), mx.concatenate(features)

    def numbers(self, length: int) -> Numbers:
        """Which picture of its row each of the next `length` tokens is of: (B, length), -1 for text."""
        numbers = np.full((len(self._rows), length), -1, np.int32)
        for line, (row, start) in enumerate(self._rows):
            for number, one in enumerate(row.pictures.placed if row else ()):
                first, last = np.searchsorted(one.positions, (start, start + length)).tolist()
                numbers[line, one.positions[first:last] - start] = number
        return numbers

    @property
    def attention(self) -> Attention:
        """That of its pictures, which are all of one family."""
        return next(row.pictures.placed[0].seen.attention for row, _ in self._rows if row)


def _within(row: PictureRow | None, start: int, length: int) -> Iterator[tuple[mx.array, Indices]]:
    """The features of a row that stand at `length` tokens from `start` on, with their positions."""
    for number, one in enumerate(row.pictures.placed if row else ()):
        first, last = np.searchsorted(one.positions, (start, start + length)).tolist()
        if row and first < last:
            yield row.features[number][first:last], one.positions[first:last]


def _has_picture(row: PictureRow | None, start: int, length: int) -> bool:
    spans = row.pictures.spans if row else ()
    return any(first < start + length and start < end for first, end in spans)


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


@contextmanager
def answer_rows(rows: Sequence[PictureRow | None]) -> Iterator[None]:
    """Build a forward pass of tokens behind the pictures of their prompts."""
    if not any(rows):  # as in nearly every step
        yield
        return
    ends = [row.pictures.end if row else 0 for row in rows]
    is_shifted = any(row.pictures.shift(end) for row, end in zip(rows, ends, strict=True) if row)
    with picture_rows(rows if is_shifted else (), ends if is_shifted else ()):
        yield
