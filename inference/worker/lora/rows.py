"""Which adapter each row of a forward pass is computed with.

The engine sets the rows around each call of the model; the layers that adapters change (layers.py) read them.
All of it happens on the engine's thread. Outside of `lora_rows` no row has an adapter.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import mlx.core as mx


class Rows:
    """The adapters of B rows, by key; "" for a row without one. Equal rows are one object for a while."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        # Where each place of a pass that mlx-lm has sorted by expert was before, until the pass is built.
        self.order: mx.array | None = None
        self._places: dict[tuple[str, ...], AdapterPlaces] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def places(self, stack: tuple[str, ...]) -> "AdapterPlaces":
        """Where in a stack of these adapters each row finds its own."""
        found = self._places.get(stack)
        if found is None:
            found = self._places[stack] = AdapterPlaces(self.keys, stack)
        return found


class AdapterPlaces:
    """The place of each row's adapter in one stack.

    `alone` is the place that all rows share, or None. `indices`, (B,) uint32, has 0 for the rows that have no
    place, and `mask`, (B, 1, 1), is False for them; it is None if all rows have one.
    """

    def __init__(self, keys: tuple[str, ...], stack: tuple[str, ...]) -> None:
        found = [stack.index(key) if key in stack else None for key in keys]
        self.is_empty = all(place is None for place in found)
        self.alone = found[0] if len(set(found)) == 1 else None
        self.indices = mx.array([place or 0 for place in found], mx.uint32)
        has_gaps = any(place is None for place in found)
        self.mask = mx.array([place is not None for place in found])[:, None, None] if has_gaps else None


_current: Rows | None = None


def current() -> Rows | None:
    """The rows of the forward pass that is being built; None if none of them has an adapter."""
    return _current


@contextmanager
def lora_rows(keys: Sequence[str]) -> Iterator[None]:
    """Build a forward pass of rows with these adapters."""
    global _current
    if not any(keys):
        yield
        return
    before, _current = _current, _rows(tuple(keys))
    try:
        yield
    finally:
        if _current:
            _current.order = None
        _current = before


@lru_cache(maxsize=64)
def _rows(keys: tuple[str, ...]) -> Rows:
    return Rows(keys)
