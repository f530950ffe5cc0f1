"""A lane: where a batch computes its sequences."""

from typing import Any, Protocol

from inference.worker.engine.sequence import Sequence
from inference.worker.prefix_cache.layers import Cache
from inference.worker.sampling.token_sampler import TokenSampler
from inference.worker.vision.rows import PictureRow


class Lane(Protocol):
    """Where sequences are computed: together in SharedLane, or one by one in SequentialLane."""

    @property
    def nbytes(self) -> int:
        """Bytes of the caches of its sequences."""
        ...

    def insert(
        self,
        sequence: Sequence,
        segments: list[list[int]],
        cache: Cache | None,
        known: list[int],
        pictures: PictureRow | None = None,
    ) -> int:
        """Queue a sequence whose first `known` tokens are in `cache`; returns its uid in this lane.

        `pictures` have the features of those that are still to be computed.
        """
        ...

    def step(self, *, chunk: int, together: int) -> tuple[list[Any], list[Any]]:
        """One token for each decoding sequence, and `chunk` tokens of each of `together` prompts.

        Returns mlx-lm's responses: those of prompts, and those of tokens.
        """
        ...

    def sampler_of(self, uid: int) -> TokenSampler | None:
        """The sampler of a sequence that decodes; it may be None for one that does not."""
        ...

    def extract(self, uid: int) -> tuple[Cache, list[int]]:
        """A copy of a sequence's caches, and the tokens in them."""
        ...

    def remove(self, uid: int) -> tuple[Cache, list[int]]:
        """Drop a sequence; returns its caches and the tokens in them."""
        ...
