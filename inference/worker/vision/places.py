"""Where the pictures of a prompt stand among its tokens, and what the prefix cache knows them by.

A stored prefix is found by its tokens, and all pictures have the same one. There each image token has a key
instead: a negative number made of the picture's digest and of the token's place in it. Two pictures agree in
all of their keys only if they are the same, and a prefix that ends inside a picture is never used beyond the
picture's beginning (`whole_length`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from inference.core.errors import TemplateFailed
from inference.worker.vision.coordinates import Coordinates, coordinates_of, shift_of
from inference.worker.vision.seen import Seen

Positions = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True, eq=False)
class PlacedPicture:
    """A picture and the positions of its image tokens in the prompt, (tokens,), in rising order."""

    seen: Seen
    positions: Positions

    @property
    def start(self) -> int:
        return int(self.positions[0])

    @property
    def end(self) -> int:
        return int(self.positions[-1]) + 1

    @property
    def shift(self) -> int:
        """What tokens behind it have to be counted on by, in models that count by row and column."""
        return shift_of(self.seen.grid) if self.seen.grid else 0

    @cached_property
    def keys(self) -> Positions:
        """A negative number for each image token."""
        words = hashlib.shake_128(self.seen.digest).digest(4 * len(self.positions))
        return -1 - (np.frombuffer(words, "<i4") & 0x7FFFFFFF)


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of a prompt, in order."""

    placed: tuple[PlacedPicture, ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """From each picture's first token to behind its last."""
        return [(one.start, one.end) for one in self.placed]

    @property
    def end(self) -> int:
        """Behind the last picture."""
        return self.placed[-1].end

    def shift(self, start: int) -> int:
        """What a token at `start` has to be counted on by, after the pictures before it."""
        return sum(one.shift for one in self.placed if one.end <= start)

    def coordinates(self, start: int, length: int) -> Coordinates:
        """Time, row and column of so many tokens from `start` on, (3, length)."""
        known = self._coordinates[:, start : start + length]
        first = start + known.shape[1]
        rest = np.arange(first, start + length, dtype=np.int32) + self.shift(first)
        return np.concatenate([known, np.broadcast_to(rest, (3, len(rest)))], axis=1)

    @cached_property
    def _coordinates(self) -> Coordinates:
        grids = [(one.start, one.seen.grid) for one in self.placed if one.seen.grid]
        return coordinates_of(grids, self.end)

    @property
    def wholes(self) -> list[tuple[int, int]]:
        """The spans that are computed in one pass each: their tokens attend to later ones of their own."""
        return [(one.start, one.end) for one in self.placed if one.seen.attention != "causal"]

    def keyed(self, tokens: Sequence[int]) -> Positions:
        """`tokens`, a beginning of the prompt or the whole with its answer, with keys for image tokens."""
        keyed = np.array(tokens, dtype=np.int32)
        for one in self.placed:
            inside = one.positions < len(keyed)
            keyed[one.positions[inside]] = one.keys[inside]
        return keyed


def place(prompt: Sequence[int], image_token: int, pictures: Sequence[Seen]) -> Pictures:
    """Share the image tokens of a prompt out to its pictures; raises TemplateFailed if they do not match."""
    positions = np.flatnonzero(np.array(prompt) == image_token).astype(np.int32)
    ends = np.cumsum([one.tokens for one in pictures])
    if len(positions) != ends[-1] or positions[-1] == len(prompt) - 1:
        raise TemplateFailed(
            "The model's chat template does not write each picture once, before the answer.", param="messages"
        )
    parts = np.split(positions, ends[:-1])
    return Pictures(tuple(map(PlacedPicture, pictures, parts)))


def expanded(text: str, placeholder: str, image_token: str, pictures: Sequence[Seen]) -> str:
    """A rendered prompt with the text of each picture in place of its placeholder.

    Of more placeholders than pictures the later ones become image tokens, which `place` refuses.
    """
    first, *rest = text.split(placeholder)
    texts = [*(one.text for one in pictures), *[image_token] * len(rest)]
    return first + "".join(one + after for one, after in zip(texts, rest, strict=False))


def whole_length(length: int, spans: Sequence[tuple[int, int]]) -> int:
    """So many tokens, or only those before the picture that would be cut."""
    return next((start for start, end in spans if start < length < end), length)


def whole_chunk(start: int, end: int, wholes: Sequence[tuple[int, int]]) -> int:
    """Where a chunk from `start` on ends: at `end`, or at the edge of a picture that this would cut."""
    before = whole_length(end, wholes)
    return before if before > start else next((last for first, last in wholes if first == start), end)
