"""The features of pictures that were looked at, so that a conversation's pictures are looked at once.

They are found by their owner only, as stored prefixes are: the time to the first token would reveal that
another owner has sent a picture.
"""

import mlx.core as mx

Key = tuple[str, bytes]  # an owner and a picture's digest


class FeatureCache:
    """Features of at most `limit` bytes together; the least recently used are dropped first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._features: dict[Key, mx.array] = {}
        self.bytes = 0

    def get(self, owner: str, digest: bytes) -> mx.array | None:
        """The features of a picture, (tokens, hidden); None if they are not here."""
        found = self._features.pop((owner, digest), None)
        if found is not None:
            self._features[owner, digest] = found
        return found

    def put(self, owner: str, digest: bytes, features: mx.array) -> None:
        """Keep evaluated features, unless they alone are beyond the limit."""
        if features.nbytes > self._limit:
            return
        self._drop((owner, digest))
        self._features[owner, digest] = features
        self.bytes += features.nbytes
        self.shrink(self._limit)

    def shrink(self, keep_bytes: int) -> None:
        while self._features and self.bytes > keep_bytes:
            self._drop(next(iter(self._features)))

    def _drop(self, key: Key) -> None:
        dropped = self._features.pop(key, None)
        self.bytes -= 0 if dropped is None else dropped.nbytes
