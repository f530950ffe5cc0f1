"""One stored prefix."""

from dataclasses import dataclass

import numpy as np

from inference.worker.prefix_cache.layers import Cache, can_trim

Tokens = np.ndarray[tuple[int], np.dtype[np.int32]]


@dataclass(eq=False)
class PrefixEntry:
    """The KV caches of `tokens`, shape (T,) int32: one cache of (1, heads, T, size) for each layer."""

    owner: str
    tokens: Tokens
    cache: Cache
    bytes: int
    is_saved: bool = False  # whether it is on disk, too
    can_trim: bool = True  # False if the model gives wrong answers with trimmed caches

    @property
    def is_trimmable(self) -> bool:
        return self.can_trim and can_trim(self.cache)


def common_length(one: Tokens, other: Tokens) -> int:
    """The length of the common prefix of two token sequences."""
    shorter = min(len(one), len(other))
    differs = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differs[0]) if differs.size else shorter
