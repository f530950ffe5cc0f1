"""A picture that is ready to be looked at, and what a family of vision models has to say about it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np

if TYPE_CHECKING:
    from PIL import Image

Detail = Literal["auto", "low", "high"]
# Whether the tokens of a picture attend to later ones of it, too: in no layer of the text model, in all of
# them, or in those with a sliding window.
Attention = Literal["causal", "both_ways", "both_ways_in_windows"]
Views = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, eq=False)
class Seen:
    """A decoded picture: `views` (n, height, width, 3) uint8, resized as its family's models were trained.

    `text` is written into the prompt in its place. It has the image token `tokens` times, which is how many
    rows of features the tower makes of it. Pictures of one `digest` have equal features. `grid` are the rows
    and columns of these tokens, for models that count by them.
    """

    views: Views = field(repr=False)
    text: str = field(repr=False)
    tokens: int
    digest: bytes
    grid: tuple[int, int] | None = None
    attention: Attention = "causal"

    @property
    def bytes(self) -> int:
        return self.views.nbytes


SeenPictures = Sequence[Seen]  # of one request, in the order of its messages


class VisionFamily(Protocol):
    """The rules of one vision model. `tower` has its weights, and is used on the engine's thread only.

    The chat template writes `placeholder` for a picture; its text has `image_token` for each row of features.
    """

    name: str
    placeholder: str
    image_token: str
    tower: nn.Module

    def see(self, image: "Image.Image", data: bytes, detail: Detail) -> Seen:
        """Resize a picture, whose file is `data`, for the tower. Uses no MLX."""
        ...

    def look(self, seen: Seen) -> mx.array:
        """The features of a picture: (tokens, hidden), not evaluated.

        Of a family with deepstack (deepstack.py) they are (tokens, hidden x (1 + levels)).
        """
        ...

    def install(self, model: nn.Module) -> None:
        """Have a text model take features from the forward pass; raises if it is not one of the family's."""
        ...


def digest_of(data: bytes, *rules: object) -> bytes:
    """Names the features that a family's rules make of the picture in `data`."""
    return hashlib.sha256(hashlib.sha256(data).digest() + repr(rules).encode()).digest()
