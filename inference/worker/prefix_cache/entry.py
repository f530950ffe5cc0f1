"""One stored prefix."""

from dataclasses import dataclass

import numpy as np

from inference.worker.prefix_cache.layers import Cache, can_trim

Tokens = np.ndarray[tuple[int], np.dtype[np.int32]]


@dataclass(eq=False)
class PrefixEntry:
    """The KV caches of `tokens`."""

    owner: str
    tokens: Tokens
    cache: Cache
    bytes: int
    is_saved: bool = False  # on disk, too
    can_trim: bool = True  # unless its model's caches are not right once they have gone back

    @property
    def is_trimmable(self) -> bool:
        return self.can_trim and can_trim(self.cache)


def common_length(one: Tokens, other: Tokens) -> int:
    shorter = min(len(one), len(other))
    differs = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differs[0]) if differs.size else shorter
